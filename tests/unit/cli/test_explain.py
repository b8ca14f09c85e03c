import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from harness import explanations
from harness.cli import harness


@pytest.fixture
def invoke(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    return lambda *arguments: CliRunner().invoke(harness, arguments, standalone_mode=False)


def test_without_a_name_all_names_are_listed_by_kind(invoke):
    output = invoke("explain").output
    assert output.startswith("findings\n  answers-not-kept")
    assert all(name in output.split() for kind in explanations.KINDS for name in explanations.names(kind))
    assert max(map(len, output.splitlines())) <= 80


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("send-lag", ["send-lag, finding", "10 %", "INVALID"]),
        ("p99", ["pNN_ms, objective", "traffic.extend_to_s"]),
        ("inconclusive", ["INCONCLUSIVE, verdict", "Exit code 4"]),
        (
            "prune_trees",
            ["prune_trees, method", "SIGIR 2016", "max_drop: number from 0 to 1 or null, null"],
        ),
        ("table", ["table, dataset", "query: ", ", required"]),
        ("onnx", ["onnx, exporter"]),
        ("xgboost", ["xgboost, ranker", "xgboost, exporter"]),
        ("rank", ["adapter:\n      kind: rank\n      features_as: named"]),
        ("html", ["html, report format"]),
    ],
)
def test_a_name_is_explained_with_its_keys(invoke, name, words):
    output = invoke("explain", name).output
    assert all(word in " ".join(output.split()) or word in output for word in words), output


def test_all_is_one_markdown_page_with_everything_once(invoke):
    lines = invoke("explain", "--all").output.splitlines()
    assert [line.removeprefix("## ").lower() for line in lines if line.startswith("## ")] == list(explanations.KINDS)
    entries = [line.removeprefix("### ") for line in lines if line.startswith("### ")]
    assert entries == [name for kind in explanations.KINDS for name in explanations.names(kind)]
    assert "| `leaves` | none, fp16, int8 or int4 | none |" in "\n".join(lines)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sendlag"], "nothing is called 'sendlag'; did you mean send-lag"),
        (["qqq"], "nothing is called 'qqq'\n  -> `harness explain` lists all names"),
        (["steal", "--all"], "`--all` explains steal too"),
    ],
)
def test_what_is_not_there_gets_a_near_miss(invoke, arguments, message):
    assert message in str(invoke("explain", *arguments).exception)


@pytest.mark.parametrize(
    ("words", "begun", "offered"),
    [
        (["explain"], "prune_l", {"prune_leaves", "prune_levels"}),
        (["explain"], "inv", {"INVALID", "invalid-points"}),
        (["report", "run", "--format"], "ter", {"terminal"}),
        (["export", "--to"], "on", {"onnx"}),
        (["serve", "--engine"], "bit", {"bitblend"}),
        (["probe", "--adapter"], "o", {"oip"}),
        (["list"], "eng", {"engines"}),
        ([], "doc", {"doctor"}),
    ],
)
def test_a_shell_is_offered_what_may_follow(words, begun, offered):
    complete = ShellComplete(harness, {}, "harness", "_HARNESS_COMPLETE")
    assert {item.value for item in complete.get_completions(words, begun)} == offered


@pytest.mark.parametrize("command", ["run", "validate", "capacity", "calibrate", "bench"])
def test_a_shell_completes_scenario_files_by_itself(command):
    complete = ShellComplete(harness, {}, "harness", "_HARNESS_COMPLETE")
    assert [item.type for item in complete.get_completions([command], "sc")] == ["file"]
