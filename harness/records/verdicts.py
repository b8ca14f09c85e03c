"""What is judged: objectives, findings, the verdict."""

from __future__ import annotations

from enum import StrEnum

from harness.records.base import Record


class VerdictStatus(StrEnum):
    """PASS and FAIL are statistically decided; INCONCLUSIVE needs more samples; INVALID can't be trusted."""

    PASS = "PASS"  # noqa: S105
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"
    INVALID = "INVALID"


class Finding(Record):
    """A named reason with the figure that raised it and a remedy.

    `hard` findings make a run INVALID. Findings that `fail` make it a FAIL, hard ones or not: what they tell is wrong
    however well the run was measured. figure, threshold: what was measured and what is allowed, in `unit` (`share`
    stands for a share of one); NaN where the finding is not about a figure.
    """

    name: str
    message: str
    remedy: str
    hard: bool = False
    fails: bool = False
    target: str = ""
    figure: float = float("nan")
    threshold: float = float("nan")
    unit: str = ""


class ObjectiveResult(Record):
    """One line of the SLA, judged.

    `measured` and `limit` share `unit`; `lower`/`upper` is the 95 % bound on `measured`;
    `headroom` is limit minus measured (measured minus limit for `min_qps`); `n_effective` is how many independent
    samples the bounds are worth; `further_s` is how much longer a window would decide an INCONCLUSIVE one (0 where it
    is decided, infinite where no longer run would help).
    """

    name: str
    unit: str
    limit: float
    measured: float
    lower: float = float("nan")
    upper: float = float("nan")
    headroom: float
    status: VerdictStatus
    reason: str = ""
    n_effective: float = float("nan")
    further_s: float = 0.0


class Verdict(Record):
    """The judgement of one run: the worst status of its objectives; INVALID where a finding is hard, FAIL where one
    `fails`."""

    status: VerdictStatus
    objectives: tuple[ObjectiveResult, ...] = ()
    findings: tuple[Finding, ...] = ()
