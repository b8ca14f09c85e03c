"""A wrong answer fails the run, however fast it was and however badly the run was measured."""

import numpy as np
import pytest

from harness.judge.answers import find_in_answers, repeated_requests
from harness.judge.verdict import judge
from harness.records import Audit, Finding, LoadInfo, Measurements, TargetInfo
from harness.samples import Samples
from harness.scenario import Scenario


def audit_of(target="compressed", **counts):
    return Audit(target=target, n_answers=500, n_checked=500, n_distinct=100, example="request body 3: off", **counts)


def verdict_of(*audits, findings=()):
    n, name = 2000, audits[0].target if audits else "compressed"
    due, zeros = np.arange(n) / 100, np.zeros(n, dtype=np.int16)
    body = np.arange(n) % 1000
    samples = Samples(
        (name,), zeros, zeros, np.ones(n, dtype=bool), due, due, due + 0.004, zeros + 200, zeros, body
    )  # fmt: skip
    measured = Measurements(
        tool_version="0", created="", command="", scenario={}, environment={}, audits=audits, complete=True,
        targets=(TargetInfo(target=name, engine="e"),), findings=findings,
        load=LoadInfo(schedule_sha256="", arrival="constant", offered_qps=100, n_planned=n),
    )  # fmt: skip
    return judge(
        Scenario.model_validate({"name": "s", "sla": {"p99_ms": 25}, "traffic": {"arrival": "constant"}}),
        measured,
        samples,
    ).verdict


@pytest.mark.parametrize("target", ["compressed", "target"])
@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("n_malformed", "hold no ranking"),
        ("n_wrong_length", "have the wrong length"),
        ("n_not_finite", "have scores that are not finite"),
        ("n_not_a_permutation", "do not name each candidate once"),
        ("n_different", "differ from the offline scores (by up to 0.31 of the largest score, tolerance 1e-05)"),
    ],
)
def test_one_wrong_answer_of_the_judged_target_is_a_fail(target, fault, said):
    verdict = verdict_of(audit_of(target, tolerance=1e-5, largest_difference=0.31, **{fault: 1}))
    assert verdict.status == "FAIL"
    assert [objective.status for objective in verdict.objectives] == ["PASS"]
    finding = next(found for found in verdict.findings if found.name == "wrong-answers")
    assert finding.fails
    assert f"1 of 500 answers are wrong: 1 {said}" in finding.message
    assert finding.message.endswith("the first: request body 3: off")


def test_it_is_a_fail_where_the_run_is_also_invalid():
    busy = Finding(name="busy", message="", remedy="", hard=True)
    assert verdict_of(audit_of(n_different=1), findings=(busy,)).status == "FAIL"
    assert verdict_of(audit_of(), findings=(busy,)).status == "INVALID"


def test_right_answers_say_nothing():
    assert verdict_of(audit_of(largest_difference=1e-7)).status == "PASS"
    assert list(find_in_answers(audit_of())) == []


def test_wrong_answers_of_the_teacher_are_told_and_judge_nothing():
    (finding,) = find_in_answers(audit_of("teacher", n_malformed=3))
    assert not finding.fails


def test_redirects_and_answers_not_kept_are_named():
    names = [finding.name for finding in find_in_answers(audit_of("target", n_redirected=4, n_not_kept=7))]
    assert names == ["redirected", "answers-not-kept"]


@pytest.mark.parametrize(("target", "names"), [("target", ["repeated-requests"]), ("compressed", [])])
def test_an_endpoint_of_others_may_keep_answers_to_requests_that_repeat(target, names):
    n, zeros = 2000, np.zeros(2000, dtype=np.int16)
    due = np.arange(n) / 100
    samples = Samples(
        (target,), zeros, zeros, zeros == 0, due, due, due + 0.004, zeros + 200, zeros, np.arange(n) % 256
    )
    assert [finding.name for finding in repeated_requests(samples)] == names
