from __future__ import annotations

from collections.abc import Callable

import pytest

from harness import registry
from harness.errors import ScenarioError
from harness.scenario import Choice, Scenario, from_resolved, options

Loads = Callable[..., list[Scenario]]
Says = Callable[..., list[str]]


def test_everything_that_is_wrong_is_said_at_once_in_order(says: Says) -> None:
    text = """\
name: -q
ranker: {kind: lightgbm, n_leafs: 3, n_trees: 0}
compress:
  - truncat
  - kind: distil_mlp
    synthetic_share: 1.5
    hidden: [8, x]
traffic:
  arrival: poison
  offered_qps: "5"
  window_s: true
  rounds: 1.5
serve: [1]
sla: {p99_ms: 0, p9z_ms: 3, ndcg: {kk: 1}}
thing: 1
"""
    problems = says(text)
    starts = [
        "q.yaml:1:1: name: must be up to 100 letters, digits, '.', '_' and '-', "
        "beginning with a letter or digit (got '-q')",
        "q.yaml:2:26: ranker.n_leafs: unknown key (did you mean 'n_leaves'? one of: ",
        "q.yaml:2:38: ranker.n_trees: must be at least 1 (got 0)",
        "q.yaml:4:5: compress.0: no method 'truncat' (",
        "q.yaml:6:5: compress.1.synthetic_share: must be at most 0.95 (got 1.5)",
        "q.yaml:7:17: compress.1.hidden.1: must be a whole number, written without a point or exponent (got 'x')",
        "q.yaml:9:3: traffic.arrival: must be 'poisson', 'constant', 'bursty', 'replay' or 'closed' "
        "(got 'poison'; did you mean 'poisson'?)",
        "q.yaml:10:3: traffic.offered_qps: must be a number (got '5')",
        "q.yaml:11:3: traffic.window_s: must be a number (got true)",
        "q.yaml:12:3: traffic.rounds: must be a whole number, written without a point or exponent (got 1.5)",
        "q.yaml:13:1: serve: must be a mapping of keys to values (got a list)",
        "q.yaml:14:7: sla.p99_ms: must be above 0 (got 0)",
        "q.yaml:14:18: sla.p9z_ms: unknown objective (did you mean 'p99_ms'? one of: ",
        "q.yaml:14:36: sla.ndcg.kk: unknown key (did you mean 'k'? one of: empty, k)",
        "q.yaml:15:1: thing: unknown key (",
    ]  # fmt: skip
    assert len(problems) == len(starts)
    for problem, start in zip(problems, starts, strict=True):
        assert problem.startswith(start)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[1, 2]\n", "q.yaml:1:1: must be a mapping of keys to values (got a list)"),
        ("just text\n", "q.yaml:1:1: must be a mapping of keys to values (got 'just text')"),
        ("name: q\n", "q.yaml:1:1: sla: is missing"),
        ("name: q\nsla: {}\n", "q.yaml:2:1: sla: needs at least one objective, such as p99_ms: 25"),
        ("name: q\nsla: {p99_ms: .inf}\n", "q.yaml:2:7: sla.p99_ms: must be a finite number (got .inf)"),
        ("name: q\nsla: {p97_ms: true}\n", "q.yaml:2:7: sla.p97_ms: must be a number (got true)"),
        ("name: q\nsla: {p99_ms: 5}\nranker: {}\n", "q.yaml:3:1: ranker.kind: is missing: one of "),
        ("name: q\nsla: {p99_ms: 5}\nranker: 5\n", "q.yaml:3:1: ranker: must be a mapping of keys to values (got 5)"),
        ("name: q\nsla: {p99_ms: 5}\ncompress: quantise\n", "q.yaml:3:1: compress: must be a list (got 'quantise')"),
        ("name: q\nsla: {p99_ms: 5}\ndata: ../secrets\n", "q.yaml:3:1: data: no dataset '../secrets' (one of: "),
        ("name: q\nsla: {p99_ms: 5}\ndata: letor\n", "q.yaml:3:1: data.train: is missing"),
    ],
)
def test_a_single_fault_in_plain_words(says: Says, text: str, problem: str) -> None:
    assert says(text)[0].startswith(problem)


def test_a_misspelt_objective_is_not_a_missing_one_too(says: Says) -> None:
    (problem,) = says("name: q\nsla: {p99: 25}\n")
    assert problem.startswith("q.yaml:2:7: sla.p99: unknown objective (did you mean 'p99_ms'?")


def test_a_union_of_types_is_one_problem(says: Says) -> None:
    problems = says("name: q\nsla: {p99_ms: 5}\ndata: {kind: letor, train: 5, test: a.txt}\n")
    assert len(problems) == 1
    assert problems[0].startswith("q.yaml:3:21: data.train: must be ")


def test_options_are_the_plug_ins_own(loads: Loads) -> None:
    (scenario,) = loads("name: q\nranker: {kind: lightgbm, n_trees: 7}\nsla: {p99_ms: 5}\n")
    chosen = options("rankers", scenario.ranker)
    assert isinstance(chosen, registry.options_model("rankers", "lightgbm"))
    assert chosen.model_dump()["n_trees"] == 7


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        (Choice(kind="lightgbn"), "ranker 'lightgbn': kind: no ranker 'lightgbn' (did you mean 'lightgbm'?"),
        (Choice.model_validate({"kind": "lightgbm", "n_tree": 5}), "ranker 'lightgbm': n_tree: unknown key (did you"),
        (Choice.model_validate({"kind": "lightgbm", "n_trees": -1}), "ranker 'lightgbm': n_trees: must be at least 1"),
    ],
)
def test_a_wrong_choice_made_in_code_is_a_scenario_error(choice: Choice, message: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        options("rankers", choice)
    assert str(caught.value).startswith(message)


def test_a_saved_scenario_stays_readable_when_a_plug_in_has_gone() -> None:
    scenario = from_resolved({"name": "q", "engine": {"kind": "long-gone", "x": 1}, "sla": {"p99_ms": 5}})
    assert scenario.engine.options == {"x": 1}
    with pytest.raises(ScenarioError, match="saved scenario: sla: is missing"):
        from_resolved({"name": "q"})


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("0", ": must be at least 1 (got 0)"),
        ("many", ": must be a whole number, written without a point or exponent (got 'many')"),
        (
            "{kind: zipf}",
            ": must be a whole number, null, or a mapping with kind: lognormal or kind: dlrm (got a mapping)",
        ),
        ("{kind: lognormal, median: 80, sigma: x}", ".sigma: must be a number (got 'x')"),
        ("{kind: lognormal, median: 80}", ".sigma: is missing"),
        ("{kind: dlrm, max: 5}", ".max: unknown key"),
    ],
)
def test_candidate_counts_are_judged_in_the_form_they_have(says: Says, written: str, problem: str) -> None:
    (said,) = says(f"name: q\nsla: {{p99_ms: 5}}\ntraffic: {{n_candidates: {written}}}\n")
    assert said.split("traffic.n_candidates")[1].startswith(problem)


@pytest.mark.parametrize("form", ["null", "lognormal", "dlrm"])
def test_an_unknown_key_may_be_called_like_a_form_of_another(says: Says, form: str) -> None:
    (problem,) = says(f"name: q\nsla: {{p99_ms: 5}}\n{form!r}: 1\n")
    assert problem.startswith(f"q.yaml:3:1: {form}: unknown key (")
