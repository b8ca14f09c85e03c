"""Answers that were taken for those to other requests make a run INVALID, however good it looks."""

import numpy as np
import pytest

from harness.judge.connections import connection_findings
from harness.judge.verdict import judge
from harness.records import LoadInfo, Measurements, TargetInfo
from harness.samples import Samples
from harness.scenario import Scenario

N = 2000


def load_of(**counts):
    return LoadInfo(schedule_sha256="", arrival="constant", offered_qps=100, n_planned=N, n_out_of_step=counts)


def verdict_of(target, count):
    due, zeros = np.arange(N) / 100, np.zeros(N, dtype=np.int16)
    samples = Samples(
        (target,), zeros, zeros, np.ones(N, dtype=bool), due, due, due + 0.004, zeros + 200, zeros, np.arange(N)
    )  # fmt: skip
    measured = Measurements(
        tool_version="0", created="", command="", scenario={}, environment={}, complete=True,
        targets=(TargetInfo(target=target, engine="e"),), load=load_of(**{target: count}),
    )  # fmt: skip
    traffic = {"arrival": "constant", "offered_qps": 100}
    return judge(Scenario.model_validate({"name": "s", "sla": {"p99_ms": 25}, "traffic": traffic}), measured, samples)


@pytest.mark.parametrize("target", ["compressed", "target"])
def test_one_connection_out_of_step_is_enough(target):
    assert verdict_of(target, 0).verdict.status == "PASS"
    verdict = verdict_of(target, 1).verdict
    assert verdict.status == "INVALID"
    (finding,) = (finding for finding in verdict.findings if finding.hard)
    assert (finding.name, finding.target, finding.figure) == ("answers-out-of-step", target, 1)


def test_those_of_the_teacher_judge_nothing_but_those_of_either_side_of_a_comparison_do():
    found = {finding.target: finding.hard for finding in connection_findings(load_of(teacher=2, A=1, B=1))}
    assert found == {"teacher": False, "A": True, "B": True}
