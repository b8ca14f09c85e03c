"""A against B: by how much do the percentiles of two sides differ that were load-tested in interleaved rounds?

Requests of one round depend on each other, through the queue and through the machine's mood, and both sides of a round
got the same requests within seconds. So the round is the unit, both sides together: the bootstrap draws whole rounds
(blocks that do not overlap: Carlstein 1986; others that fit, Politis and Romano 1994), the jackknife leaves one out
(Kunsch 1989 has both for dependent data). The larger standard error counts, as the bootstrap's is too small for a p99
that a single long queue decides; it is taken times Student's t quantile at rounds - 1 degrees of freedom.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from harness.judge.blocks import Pool, answered_ms, draws, standard_error, t_quantile
from harness.judge.findings import find
from harness.judge.percentiles import percentile
from harness.judge.steadiness import LATENCY_DRIFT, TOO_FEW
from harness.judge.verdict import measures_of
from harness.ranking_data import Floats
from harness.records import Finding, Measurements, TargetMeasure
from harness.samples import Samples
from harness.scenario import Scenario
from harness.studies import Comparison, Difference

A, B = "A", "B"
PERCENTILES = {"p50": 0.5, "p99": 0.99}
FEWEST_ROUNDS = 5
_ALLOWED_FOR = (TOO_FEW, LATENCY_DRIFT)


def judge_comparison(
    scenario: Scenario, measurements: Measurements, samples: Samples | None, sides: dict[str, str], min_effect: float
) -> Comparison:
    """Compare the samples of targets `A` and `B`. Where either can't be trusted, every answer is `undecided`.

    What disturbs a side is judged over all its rounds together. Some disturbed rounds of many hit both sides, which
    alternate, and widen the intervals, which rest on how rounds differ.
    """
    measures = measures_of(scenario, measurements, samples)
    found_in = find(scenario, measurements, measures, (), samples, subjects=(A, B))
    findings = (*(_of_rounds(f) for f in found_in), *(f for m in measures for f in unanswered(m)))
    rounds = paired_rounds(samples, scenario.traffic.timeout_s * 1e3) if samples is not None else []
    found = differences(rounds, min_effect) if len(rounds) >= FEWEST_ROUNDS else ()
    if any(finding.hard for finding in findings):
        found = tuple(diff.model_copy(update={"answer": "undecided"}) for diff in found)
    return Comparison(
        name=scenario.name,
        measurements=measurements,
        sides=sides,
        min_effect=min_effect,
        n_rounds=len(rounds),
        measures=measures,
        differences=found,
        findings=findings,
    )


@dataclass(frozen=True)
class Round:
    """Judged latencies in ms of one round, (n,) each; unanswered requests count as the time-out."""

    a_ms: Floats
    b_ms: Floats


def paired_rounds(samples: Samples, timeout_ms: float) -> list[Round]:
    """The rounds in which both sides were measured, in their order."""
    sides = []
    for side in (A, B):
        judged = samples.judged(side)
        latency_ms = answered_ms(judged, timeout_ms)
        sides.append([latency_ms[judged.segment == segment] for segment in np.unique(judged.segment)])
    return [Round(a_ms, b_ms) for a_ms, b_ms in zip(*sides, strict=False)]


def differences(rounds: list[Round], min_effect: float) -> tuple[Difference, ...]:
    """Difference and ratio of each percentile with its interval, and the answer. Needs two rounds or more."""
    a, b = Pool([r.a_ms for r in rounds]), Pool([r.b_ms for r in rounds])
    return tuple(_difference(name, q, a, b, min_effect) for name, q in PERCENTILES.items())


def _difference(name: str, q: float, a: Pool, b: Pool, min_effect: float) -> Difference:
    drawn, left_out = draws(a.n_blocks)
    booted = a.percentiles(q, drawn), b.percentiles(q, drawn)
    knifed = a.percentiles(q, left_out), b.percentiles(q, left_out)
    reach = t_quantile(a.n_blocks - 1)
    half_ms = reach * standard_error(booted[1] - booted[0], knifed[1] - knifed[0])
    half_log = reach * standard_error(np.log(booted[1] / booted[0]), np.log(knifed[1] / knifed[0]))
    return difference(name, (percentile(a.values_ms, q), percentile(b.values_ms, q)), half_ms, half_log, min_effect)


def difference(
    name: str, sides_ms: tuple[float, float], half_ms: float, half_log: float, min_effect: float
) -> Difference:
    """A percentile of A and of B, with half the intervals of B - A and of the logarithm of B / A, and the answer."""
    a_ms, b_ms = sides_ms
    ratio, factor = b_ms / a_ms, math.exp(half_log)
    return Difference(
        percentile=name,
        a_ms=a_ms,
        b_ms=b_ms,
        difference_ms=b_ms - a_ms,
        difference_lower_ms=b_ms - a_ms - half_ms,
        difference_upper_ms=b_ms - a_ms + half_ms,
        ratio=ratio,
        ratio_lower=ratio / factor,
        ratio_upper=ratio * factor,
        answer=answer(ratio / factor, ratio * factor, min_effect),
    )


def answer(
    ratio_lower: float, ratio_upper: float, min_effect: float
) -> Literal["A faster", "B faster", "no difference", "undecided"]:
    """What an interval of B / A says: beyond the smallest effect that matters, within it, or neither for certain."""
    edge = 1 + min_effect
    if ratio_lower > edge:
        return "A faster"
    if ratio_upper < 1 / edge:
        return "B faster"
    return "no difference" if 1 / edge <= ratio_lower and ratio_upper <= edge else "undecided"


def _of_rounds(finding: Finding) -> Finding:
    """The finding, soft where the intervals allow for what it tells: how many samples, and how steady the rounds."""
    return finding.model_copy(update={"hard": False}) if finding.name in _ALLOWED_FOR else finding


def unanswered(measure: TargetMeasure) -> list[Finding]:
    """That requests of a side were not answered, which counts as answered late."""
    n_lost = measure.n_planned - measure.n_ok
    if not n_lost:
        return []
    return [
        Finding(
            name="unanswered",
            message=f"{measure.target}: {n_lost} of {measure.n_planned} requests failed or were not sent; "
            "each counts as one answered at the time-out",
            remedy="lower traffic.offered_qps to what both sides can answer",
            target=measure.target,
        )
    ]
