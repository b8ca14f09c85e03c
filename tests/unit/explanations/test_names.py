"""Every name that a user may meet is explained, and nothing else is."""

import ast
import importlib
from pathlib import Path

import pytest

from harness import explanations, registry
from harness.explanations import KINDS, explain, finding, named, names, objective
from harness.judge import answers, arrivals, generator, machine, noise_floor, steadiness
from harness.records import VerdictStatus
from harness.scenario import Sla

HARNESS = Path(explanations.__file__).parents[1]
CHOSEN_AT_RUN_TIME = {"rule.name": {rule.name for rule in machine.RULES}}
PLUGINS = [(kind, name) for kind in registry.ROOMS for name in registry.names(kind)]


def raised():
    """Names of all findings that the code raises, with where."""
    for path in sorted(HARNESS.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("Finding", "records.Finding"):
                value = next(k.value for k in node.keywords if k.arg == "name")
                for name in names_of(value, path):
                    yield name, f"{path.relative_to(HARNESS)}:{node.lineno}"


def names_of(value, path):
    if isinstance(value, ast.Constant):
        return {value.value}
    if isinstance(value, ast.Name):  # a constant of the module
        parts = path.relative_to(HARNESS.parent).with_suffix("").parts
        return {getattr(importlib.import_module(".".join(parts).removesuffix(".__init__")), value.id)}
    return CHOSEN_AT_RUN_TIME[ast.unparse(value)]


def test_every_finding_that_is_raised_is_explained_and_none_is_stale():
    found = dict(raised())
    missing = {name: where for name, where in found.items() if name not in names("findings")}
    assert not missing, f"write a paragraph for each in explanations/findings.md: {missing}"
    assert set(names("findings")) == found.keys()
    assert names("findings") == sorted(names("findings"))


def test_every_objective_and_verdict_is_explained():
    latency = {key for key in Sla.model_fields if key.endswith("_ms")}
    assert set(names("objectives")) == Sla.model_fields.keys() - latency - {"ndcg"} | {"pNN_ms"}
    assert all(objective(key) == explain("objectives", "pNN_ms").text for key in latency | {"p9999_ms", "p75_ms"})
    assert names("verdicts") == list(VerdictStatus)


@pytest.mark.parametrize("kind", ["findings", "objectives", "verdicts"])
def test_what_is_written_says_enough(kind):
    short = [name for name in names(kind) if len(explain(kind, name).text.split()) < 20]
    assert not short


@pytest.mark.parametrize(("kind", "name"), PLUGINS)
def test_every_plugin_explains_itself_and_its_keys(kind, name):
    about = explain(kind, name)
    summary, _, more = about.text.partition("\n\n")
    assert summary == registry.summary(kind, name)
    assert len(more.split()) >= 20, f"{kind} {name}: its docstring needs a paragraph for its users below the first line"
    assert [key.name for key in about.keys if not key.does] == []


def test_thresholds_are_those_of_the_judge():
    for name, threshold in [
        ("send-lag", f"{generator.SEND_LAG_SHARE:.0%}"),
        ("generator-busy", f"{generator.CPU_SHARE:.0%}"),
        ("arrivals-off-plan", f"{arrivals.DEVIATIONS:.0f} standard deviations"),
        ("latency-drift", f"{steadiness.DRIFT:.0%}"),
        ("too-few-samples", f"{steadiness.fewest(0.99)} for a p99"),
        ("stale-calibration", f"{noise_floor.OLDEST_DAYS:.0f} days"),
        ("repeated-requests", f"over {answers.MOST_REPEATS} times"),
        *((rule.name, f"{rule.allowed:.0%}") for rule in machine.RULES),
    ]:
        assert threshold.replace("%", " %") in finding(name), name


def test_one_name_may_stand_for_several_things():
    assert named("lightgbm") == [("rankers", "lightgbm"), ("exporters", "lightgbm")]
    assert named("invalid") == [("verdicts", "INVALID")]
    assert named("p999_ms") == named("p999") == [("objectives", "pNN_ms")]
    assert named("p100") == named("speed") == []


def test_what_is_raised_no_more_has_no_text():
    assert finding("of-an-older-version") == objective("joy") == ""


def test_keys_say_what_they_take():
    keys = {key.name: key for key in explain("methods", "quantise").keys}
    assert keys["leaves"].takes == "none, fp16, int8 or int4"
    assert keys["leaves"].default == "none"
    assert keys["qat"].takes.startswith("true or false or mapping of epochs, ")
    shape = {key.name: key for key in explain("rankers", "lightgbm").keys}
    assert shape["n_trees"].takes == "whole number from 1 to 20,000"
    assert shape["learning_rate"].takes == "number above 0 to 1"
    assert {key.name for key in explain("datasets", "table").keys if not key.default} == {
        "train",
        "test",
        "query",
        "grade",
    }


def test_text_is_unwrapped_but_examples_stay():
    text = explain("adapters", "rank").text
    assert "    adapter:\n      kind: rank\n" in text
    assert all("\n" not in part for part in text.split("\n\n") if not part.startswith("    "))
    assert set(KINDS) == {"findings", "objectives", "verdicts", *registry.ROOMS}
