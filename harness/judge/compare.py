"""A against B: by how much do the percentiles of two sides differ that were load-tested in interleaved rounds?

Requests of one round depend on each other, through the queue and through the machine's mood, and both sides of a round
got the same requests within seconds. So the round is the unit, both sides together: the bootstrap draws whole rounds
(blocks that do not overlap: Carlstein 1986; others that fit, Politis and Romano 1994), the jackknife leaves one out
(Kunsch 1989 has both for dependent data). The larger standard error counts, as the bootstrap's is too small for a p99
that a single long queue decides; it is taken times Student's t quantile at rounds - 1 degrees of freedom.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

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
CONFIDENCE = 0.95
N_DRAWS = 1000
FEWEST_ROUNDS = 5
_ALLOWED_FOR = (TOO_FEW, LATENCY_DRIFT)
_SEED = 1


def judge_comparison(
    scenario: Scenario, measurements: Measurements, samples: Samples | None, sides: dict[str, str], min_effect: float
) -> Comparison:
    """Compare the samples of targets `A` and `B`. Where either can't be trusted, every answer is `undecided`.

    What disturbs a side is judged over all its rounds together. Some disturbed rounds of many hit both sides, which
    alternate, and widen the intervals, which rest on how rounds differ.
    """
    measures = measures_of(scenario, measurements, samples)
    found_in = find(scenario, measurements, measures, (), samples, subjects=(A, B))
    findings = (*(_of_rounds(f) for f in found_in), *(f for m in measures for f in _unanswered(m)))
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
        latency_ms = np.where(judged.ok, judged.latency_ms, np.maximum(timeout_ms, _longest(judged)))
        sides.append([latency_ms[judged.segment == segment] for segment in np.unique(judged.segment)])
    return [Round(a_ms, b_ms) for a_ms, b_ms in zip(*sides, strict=False)]


def differences(rounds: list[Round], min_effect: float) -> tuple[Difference, ...]:
    """Difference and ratio of each percentile with its interval, and the answer. Needs two rounds or more."""
    a, b = _Pool([r.a_ms for r in rounds]), _Pool([r.b_ms for r in rounds])
    return tuple(_difference(name, q, a, b, len(rounds), min_effect) for name, q in PERCENTILES.items())


def _difference(name: str, q: float, a: _Pool, b: _Pool, n_rounds: int, min_effect: float) -> Difference:
    drawn = np.random.default_rng(_SEED).multinomial(n_rounds, np.full(n_rounds, 1 / n_rounds), N_DRAWS)
    left_out = 1 - np.eye(n_rounds, dtype=np.int64)
    a_ms, b_ms = percentile(a.values_ms, q), percentile(b.values_ms, q)
    booted = a.percentiles(q, drawn), b.percentiles(q, drawn)
    knifed = a.percentiles(q, left_out), b.percentiles(q, left_out)
    half_ms = _half_width(booted[1] - booted[0], knifed[1] - knifed[0])
    factor = float(np.exp(_half_width(np.log(booted[1] / booted[0]), np.log(knifed[1] / knifed[0]))))
    ratio = b_ms / a_ms
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


class _Pool:
    """All latencies of one side, sorted, each with its round."""

    def __init__(self, rounds_ms: list[Floats]) -> None:
        self.values_ms = np.concatenate(rounds_ms)
        order = np.argsort(self.values_ms, kind="stable")
        self.values_ms = self.values_ms[order]
        self._round = np.repeat(np.arange(len(rounds_ms)), [values.size for values in rounds_ms])[order]

    def percentiles(self, q: float, drawn: NDArray[np.int64]) -> Floats:
        """The q-quantile (draws,) where round r is taken drawn[:, r] times."""
        found = np.empty(drawn.shape[0])
        for place, times in enumerate(drawn):
            reached = np.cumsum(times[self._round])
            found[place] = self.values_ms[np.searchsorted(reached, q * reached[-1] - 1e-9)]
        return found


def _half_width(booted: Floats, knifed: Floats) -> float:
    """Half of the interval, from a statistic's values over bootstrap draws and with each round (n,) left out."""
    from scipy.stats import t

    n = knifed.size
    error = max(booted.std() * np.sqrt(n / (n - 1)), knifed.std() * np.sqrt(n - 1))
    return float(t.ppf((1 + CONFIDENCE) / 2, n - 1) * error)


def _of_rounds(finding: Finding) -> Finding:
    """The finding, soft where the intervals allow for what it tells: how many samples, and how steady the rounds."""
    return finding.model_copy(update={"hard": False}) if finding.name in _ALLOWED_FOR else finding


def _longest(judged: Samples) -> float:
    return float(judged.latency_ms[judged.ok].max(initial=0.0))


def _unanswered(measure: TargetMeasure) -> list[Finding]:
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
