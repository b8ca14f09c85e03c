from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.scenario import Scenario

Loads = Callable[..., list[Scenario]]
Says = Callable[..., list[str]]

HEAD = "name: q\nranker: {kind: lightgbm, n_trees: 10}\ncompress: [quantise, quantise]\nsla: {p99_ms: 25}\n"


def names(scenarios: list[Scenario]) -> list[str]:
    return [scenario.name for scenario in scenarios]


def test_a_matrix_makes_every_combination(loads: Loads) -> None:
    scenarios = loads(HEAD + "matrix: {ranker.n_trees: [100, 300], sla.p99_ms: [10, 20.5]}\n")
    assert names(scenarios) == [
        "q--n_trees-100--p99_ms-10",
        "q--n_trees-100--p99_ms-20.5",
        "q--n_trees-300--p99_ms-10",
        "q--n_trees-300--p99_ms-20.5",
    ]
    assert [(s.ranker.options["n_trees"], s.sla.p99_ms) for s in scenarios] == [
        (100, 10), (100, 20.5), (300, 10), (300, 20.5),
    ]  # fmt: skip


def test_exclude_takes_away_and_include_adds(loads: Loads) -> None:
    matrix = "ranker.n_trees: [1, 2], traffic.rounds: [3, 4]"
    more = "exclude: [{ranker.n_trees: 1, traffic.rounds: 4}, {ranker.n_trees: 2}], include: [{ranker: mlp}]"
    scenarios = loads(f"{HEAD}matrix: {{{matrix}, {more}}}\n")
    assert names(scenarios) == ["q--n_trees-1--rounds-3", "q--ranker-mlp"]
    assert scenarios[1].ranker.kind == "mlp"


def test_whole_sections_and_list_items_can_be_varied(loads: Loads) -> None:
    steps = "compress.0.leaves: [none, int8], compress.1.leaves: [fp16], ranker: [mlp, {kind: mlp, hidden: [8, 4]}]"
    assert names(loads(f"{HEAD}matrix: {{{steps}}}\n")) == [
        "q--compress.0.leaves-none--compress.1.leaves-fp16--ranker-mlp",
        "q--compress.0.leaves-none--compress.1.leaves-fp16--ranker-mlp-hidden-8_4",
        "q--compress.0.leaves-int8--compress.1.leaves-fp16--ranker-mlp",
        "q--compress.0.leaves-int8--compress.1.leaves-fp16--ranker-mlp-hidden-8_4",
    ]


def test_the_plug_in_itself_is_called_by_its_section(loads: Loads) -> None:
    scenarios = loads("name: q\nsla: {p99_ms: 25}\nmatrix: {ranker.kind: [mlp, lightgbm]}\n")
    assert names(scenarios) == ["q--ranker-mlp", "q--ranker-lightgbm"]


def test_variables_can_be_varied_and_show_their_values(loads: Loads) -> None:
    text = "name: q\nvars: {n: 1}\nranker: {kind: lightgbm, n_trees: '${n}'}\nsla: {p99_ms: 25}\n"
    scenarios = loads(text + "matrix: {vars.n: [5, '${N_OF_Q:-6}']}\n")
    assert [(s.name, s.ranker.options["n_trees"]) for s in scenarios] == [("q--n-5", 5), ("q--n-6", 6)]


def test_names_that_would_be_the_same_or_be_cut_end_in_a_hash(loads: Loads) -> None:
    alike = names(loads(HEAD + "matrix: {description: [a/b, a-b]}\n"))
    assert all(name.startswith("q--description-a-b-") for name in alike)
    assert len(set(alike)) == 2
    long = names(loads(HEAD + f"matrix: {{description: [{'x' * 200}, {'x' * 201}]}}\n"))
    assert [len(name) for name in long] == [100, 100]
    assert len(set(long)) == 2
    assert long == names(loads(HEAD + f"matrix: {{description: [{'x' * 200}, {'x' * 201}]}}\n"))


def test_an_override_settles_a_varied_key(loads: Loads) -> None:
    text = HEAD + "matrix: {ranker.n_trees: [100, 300], sla.p99_ms: [10, 20]}\n"
    assert names(loads(text, "ranker.n_trees=5")) == ["q--p99_ms-10", "q--p99_ms-20"]
    assert names(loads(text, "ranker=mlp", "sla.p99_ms=3")) == ["q"]


@pytest.mark.parametrize(
    ("matrix", "problem"),
    [
        ("[1]", "q.yaml:5:1: matrix: must be a mapping of dotted keys to lists of values"),
        ("{ranker.n_trees: 5}", "q.yaml:5:10: matrix.ranker.n_trees: must be a list of at least one value"),
        ("{ranker.n_tree: [5]}", "q.yaml:5:26: ranker.n_tree: unknown key (did you mean 'n_trees'?"),
        ("{ranker.n_trees: [5, x]}", "q.yaml:5:30: ranker.n_trees: must be a whole number"),
        ("{ranker.n_trees: [5, 5]}", "q.yaml:5:1: matrix: gives the same combination twice"),
        ("{ranker.n_trees: [5], exclude: [{ranker.n_trees: 5}]}", "q.yaml:5:1: matrix: leaves no combination"),
        ("{ranker.n_trees: [5], exclude: [{ranker.n_trees: 6}]}",
         "q.yaml:5:41: matrix.exclude: excludes no combination"),
        ("{ranker.n_trees: [5], exclude: [{ranker.trees: 5}]}",
         "q.yaml:5:42: matrix.exclude: 'ranker.trees' is not varied (did you mean 'ranker.n_trees'?"),
        ("{ranker.n_trees: [5], include: [5]}",
         "q.yaml:5:41: matrix.include: must be a mapping of dotted keys to single values"),
        ("{compress.9.leaves: [int8]}", "q.yaml:5:30: compress.9.leaves: compress has 2 items"),
        (f"{{a: {list(range(100))}, b: {list(range(11))}}}", "q.yaml:5:1: matrix: more than 1000 combinations"),
    ],
)  # fmt: skip
def test_a_matrix_that_can_not_be_expanded_is_a_problem_at_its_place(says: Says, matrix: str, problem: str) -> None:
    assert any(said.startswith(problem) for said in says(f"{HEAD}matrix: {matrix}\n"))


def test_no_matrix_is_one_scenario_under_its_own_name(loads: Loads) -> None:
    assert names(loads(HEAD + "matrix: null\n")) == ["q"]
