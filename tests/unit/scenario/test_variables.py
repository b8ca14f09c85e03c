from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.scenario import Scenario

Loads = Callable[..., list[Scenario]]
Says = Callable[..., list[str]]


def text_of(value: str, variables: str = "{}", section: str = "description") -> str:
    return f"name: q\nvars: {variables}\n{section}: {value}\nsla: {{p99_ms: 25}}\n"


@pytest.mark.parametrize(
    ("value", "variables", "expected"),
    [
        ("${x}", "{x: some text}", "some text"),
        ("a ${x} b ${y}", "{x: 1, y: true}", "a 1 b true"),
        ("${x}", '{x: "<${y}>", y: "${z}", z: end}', "<end>"),
        ("costs $${x}, not ${x}", "{x: 1}", "costs ${x}, not 1"),
        ("$${x}", "{}", "${x}"),
        ("${NO_SUCH_THING:-a default}", "{}", "a default"),
        ("-${NO_SUCH_THING:-}-", "{}", "--"),
        ("${SET}", "{}", "from outside"),
        ("${SET}", "{SET: from vars}", "from vars"),
        ("${EMPTY:-instead}", "{}", "instead"),
    ],
)
def test_references_are_replaced(
    loads: Loads, monkeypatch: pytest.MonkeyPatch, value: str, variables: str, expected: str
) -> None:
    monkeypatch.setenv("SET", "from outside")
    monkeypatch.setenv("EMPTY", "")
    assert loads(text_of(value, variables))[0].description == expected


def test_a_whole_value_keeps_its_type(loads: Loads, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QPS", "37.5")
    (scenario,) = loads(
        "name: q\nvars: {hidden: [8, 4], net: {kind: mlp, hidden: '${hidden}'}}\nranker: ${net}\n"
        "traffic: {offered_qps: '${QPS}', rounds: '${ROUNDS_OF_Q:-3}', teacher: '${TEACHER_OF_Q:-false}'}\n"
        "sla: {p99_ms: 25}\n"
    )
    assert scenario.ranker.model_dump() == {"kind": "mlp", "hidden": [8, 4]}
    assert (scenario.traffic.offered_qps, scenario.traffic.rounds, scenario.traffic.teacher) == (37.5, 3, False)


@pytest.mark.parametrize(
    ("value", "variables", "problem"),
    [
        ("${NO_SUCH_THING}", "{}", "q.yaml:3:1: description: variable 'NO_SUCH_THING' is not set: "
                                   "`export NO_SUCH_THING=...`, or give it under `vars`"),
        ("a ${", "{}", "q.yaml:3:1: description: an unfinished ${...}: "
                       "write ${name} or ${NAME:-default}, and $${ for a literal ${"),
        ("${1x}", "{}", "q.yaml:3:1: description: an unfinished ${...}: "
                        "write ${name} or ${NAME:-default}, and $${ for a literal ${"),
        ("a ${x}", "{x: [1]}", "q.yaml:3:1: description: variable 'x' is not a single value, "
                               "so not part of text"),
        ("a", "[x]", "q.yaml:2:1: vars: must be a mapping of names to values"),
    ],
)  # fmt: skip
def test_a_reference_that_can_not_be_replaced_is_one_problem(
    says: Says, value: str, variables: str, problem: str
) -> None:
    assert says(text_of(value, variables)) == [problem]


def test_variables_that_refer_to_one_another_are_refused(says: Says) -> None:
    problems = says(text_of("${a}", '{a: "${b}", b: "${a}"}'))
    assert "q.yaml:2:8: vars.a: variable refers to itself: b -> a -> b" in problems
    assert "q.yaml:3:1: description: variable 'a' has no value, see there" in problems
    assert not any("null" in problem for problem in problems)


def test_a_chain_of_variables_without_an_end_in_sight_is_refused(says: Says) -> None:
    chain = ", ".join(f'x{i}: "${{x{i + 1}}}"' for i in range(2000))
    assert says(text_of("${x0}", f"{{{chain}, x2000: 1}}")) == ["q.yaml: is nested too deeply"]
