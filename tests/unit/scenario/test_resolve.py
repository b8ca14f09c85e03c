from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from harness import registry
from harness.errors import ScenarioError
from harness.scenario import Choice, Scenario, dump_yaml, from_resolved, load, options, resolved

Loads = Callable[..., list[Scenario]]
Write = Callable[[str, str], Path]

TEXT = """\
name: q
data: {kind: letor, train: a.txt, test: [b.txt, c.txt]}
ranker: {kind: lightgbm, n_trees: 7}
compress: [quantise, {kind: distil_mlp, hidden: [8, 4]}]
engine: tl2cgen
traffic: {n_candidates: null}
sla: {p9999_ms: 40, p50_ms: 3, ndcg: {k: 5}}
"""


def test_every_default_of_every_section_is_written_out(loads: Loads) -> None:
    (scenario,) = loads(TEXT)
    mapping = resolved(scenario)
    assert list(mapping) == list(Scenario.model_fields)
    assert mapping["ranker"] == {"kind": "lightgbm", **options("rankers", scenario.ranker).model_dump(mode="json")}
    assert len(mapping["ranker"]) > 5
    assert [step["kind"] for step in mapping["compress"]] == ["quantise", "distil_mlp"]
    assert mapping["compress"][1]["hidden"] == [8, 4]
    assert mapping["traffic"]["n_candidates"] is None
    assert mapping["traffic"]["arrival"] == "poisson"
    assert list(mapping["sla"]) == ["ndcg", "p50_ms", "p9999_ms"]
    assert json.loads(json.dumps(mapping)) == mapping


def test_what_is_saved_reads_back_as_the_same_scenario(loads: Loads, write: Write) -> None:
    (scenario,) = loads(TEXT)
    text = dump_yaml(resolved(scenario))
    again = from_resolved(YAML(typ="safe", pure=True).load(text))
    assert resolved(again) == resolved(scenario)
    (loaded,) = load([write("saved.yaml", text)])
    assert loaded.scenario == again
    assert dump_yaml(resolved(loaded.scenario)) == text


def test_yaml_text_keeps_types_and_order() -> None:
    mapping = {"z": "1e3", "a": "yes", "n": None, "t": "true", "d": "2020-01-01", "e": [], "f": 1e-7, "s": "a: b #c\n"}
    text = dump_yaml(mapping)
    assert list(YAML(typ="safe", pure=True).load(text).items()) == list(mapping.items())


def has_defaults(kind: registry.Kind, name: str) -> bool:
    try:
        options(kind, Choice(kind=name))
    except ScenarioError:
        return False
    return True


KINDS: list[registry.Kind] = ["datasets", "rankers", "methods", "engines", "adapters"]
WITH_DEFAULTS = [(kind, name) for kind in KINDS for name in registry.names(kind) if has_defaults(kind, name)]


@pytest.mark.parametrize(("kind", "name"), WITH_DEFAULTS)
def test_the_saved_options_of_a_plug_in_read_back_as_the_same(kind: registry.Kind, name: str) -> None:
    default = options(kind, Choice(kind=name))
    saved = YAML(typ="safe", pure=True).load(dump_yaml({"kind": name, **default.model_dump(mode="json")}))
    assert options(kind, Choice.model_validate(saved)) == default


def test_the_scenario_itself_is_not_changed(loads: Loads) -> None:
    (scenario,) = loads(TEXT)
    before = scenario.model_dump_json()
    resolved(scenario)["ranker"]["n_trees"] = 1
    assert scenario.model_dump_json() == before
    assert scenario.engine == Choice(kind="tl2cgen")
