from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from harness.scenario import Scenario

Write = Callable[[str, str], Path]
Loads = Callable[..., list[Scenario]]
Says = Callable[..., list[str]]

BASE = """\
name: base
ranker: {kind: lightgbm, n_trees: 300, n_leaves: 64}
compress: [{kind: quantise, leaves: int8}]
traffic: {offered_qps: 50, rounds: 4}
sla: {p99_ms: 25, error_rate: 0.1}
"""


def test_mappings_merge_and_lists_are_replaced(write: Write, loads: Loads) -> None:
    write("base.yaml", BASE)
    (scenario,) = loads(
        "extends: base.yaml\nname: q\nranker: {n_trees: 5}\ncompress: []\nsla: {p99_ms: 10, p50_ms: 2}\n"
    )
    assert scenario.name == "q"
    assert scenario.ranker.model_dump() == {"kind": "lightgbm", "n_trees": 5, "n_leaves": 64}
    assert scenario.compress == ()
    assert scenario.traffic.rounds == 4
    assert scenario.sla.objectives == {"p50_ms": 2, "p99_ms": 10, "error_rate": 0.1}


def test_another_kind_takes_over_no_key_of_the_base(write: Write, loads: Loads) -> None:
    write("base.yaml", BASE)
    (scenario,) = loads("extends: base.yaml\nranker: {kind: mlp, epochs: 2}\n")
    assert scenario.ranker.model_dump() == {"kind": "mlp", "epochs": 2}


def test_keys_on_top_of_a_shorthand_keep_its_kind(write: Write, loads: Loads) -> None:
    write("base.yaml", "name: base\nranker: mlp\nsla: {p99_ms: 25}\n")
    (scenario,) = loads("extends: base.yaml\nranker: {epochs: 2}\n")
    assert scenario.ranker.model_dump() == {"kind": "mlp", "epochs": 2}


def test_bases_extend_bases_relative_to_themselves(write: Write, loads: Loads) -> None:
    write("base/root.yaml", BASE)
    write("base/middle.yaml", "extends: root.yaml\nname: middle\n")
    (scenario,) = loads("extends: base/middle.yaml\ndescription: top\n")
    assert (scenario.name, scenario.description, scenario.sla.p99_ms) == ("middle", "top", 25)


def test_a_fault_of_the_base_is_shown_in_the_base(write: Write, says: Says) -> None:
    write("base.yaml", BASE.replace("rounds: 4", "rounds: 0"))
    assert says("extends: base.yaml\nname: q\n") == ["base.yaml:4:28: traffic.rounds: must be at least 1 (got 0)"]


def test_a_base_that_extends_its_own_descendant_is_refused(write: Write, says: Says) -> None:
    write("base.yaml", "extends: q.yaml\n")
    assert says("extends: base.yaml\n") == ["base.yaml:1:1: extends: extends itself: q.yaml -> base.yaml -> q.yaml"]


def test_a_missing_base_names_its_neighbours(write: Write, says: Says) -> None:
    write("base.yaml", BASE)
    (problem,) = says("name: q\nextends: bas.yaml\n")
    assert problem.startswith("q.yaml:2:1: extends: no such file: bas.yaml (did you mean 'base.yaml'?")


def test_an_override_reaches_lists_shorthands_and_absent_sections(loads: Loads) -> None:
    text = "name: q\nranker: mlp\ncompress: [quantise]\nsla: {p99_ms: 25}\n"
    (scenario,) = loads(text, "compress.0.leaves=int8", "ranker.hidden=[8, 4]", "data.seed=3", "serve.workers=2")
    assert scenario.compress[0].model_dump() == {"kind": "quantise", "leaves": "int8"}
    assert scenario.ranker.model_dump() == {"kind": "mlp", "hidden": [8, 4]}
    assert scenario.data.model_dump() == {"kind": "synthetic_feed", "seed": 3}
    assert scenario.serve.workers == 2


def test_an_override_wins_over_variables_and_sets_them(loads: Loads) -> None:
    text = 'name: q\nvars: {n: 5}\nranker: {kind: lightgbm, n_trees: "${n}"}\nsla: {p99_ms: 25}\n'
    assert loads(text, "vars.n=7")[0].ranker.options == {"n_trees": 7}
    assert loads(text, "ranker.n_trees=9")[0].ranker.options == {"n_trees": 9}


def test_overrides_that_can_not_be_set_are_all_problems(says: Says) -> None:
    text = "name: q\ncompress: [quantise]\nsla: {p99_ms: 25}\n"
    problems = says(
        text,
        "nothing",
        "a..b=1",
        "extends=x",
        "compress.3.leaves=int8",
        "sla.p99_ms.x=1",
        "serve.workers={",
        "rankr.x=1",
    )
    assert problems[0] == "--set: 'nothing' is not of the form a.b=value"
    assert problems[1] == "--set: 'a..b=1' is not of the form a.b=value"
    assert problems[2] == "--set: extends: can't be set from outside the file"
    assert problems[3] == "--set: compress.3.leaves: compress has 1 items, numbered from 0; there is no 3"
    assert problems[4] == "--set: sla.p99_ms.x: sla.p99_ms is 25, which has no keys"
    assert problems[5].startswith("--set: rankr: unknown key (did you mean 'ranker'?")
    assert problems[5].endswith("(in q.yaml)")
    assert problems[6].startswith("--set serve.workers:1:2: is not YAML")
