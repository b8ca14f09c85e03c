"""Finished runs against one another: has a percentile of the newest run changed from those before it?

The sides were not measured in turn, so nothing pairs them. Each run's judged requests are cut into blocks of a second
or more, and each side has a standard error of its own from them (`harness.judge.blocks`). What the machine does from
one run to the next is in neither: where two or more runs came before, their spread beyond their own errors estimates
it (a random-effects model, DerSimonian and Laird 1986, with equal weights). The parts add up as variances, and
Student's t takes the degrees of freedom of Welch and Satterthwaite, so an estimate from two runs weighs as little as it
should.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.errors import UsageError
from harness.judge.blocks import Pool, answered_ms, draws, standard_error, t_quantile
from harness.judge.compare import FEWEST_ROUNDS, PERCENTILES, A, B, difference, unanswered
from harness.judge.findings import find
from harness.judge.percentiles import percentile
from harness.judge.steadiness import TOO_FEW
from harness.judge.verdict import measures_of
from harness.ranking_data import Floats
from harness.records import SUBJECTS, Finding, Measurements
from harness.samples import Samples
from harness.scenario import Scenario
from harness.studies import Comparison, Difference, FinishedRuns

BLOCK_S = 1.0
_MOST_BLOCKS = 20


@dataclass(frozen=True)
class FinishedRun:
    """One run as it lies on the disk; `name` is what reports call it."""

    name: str
    scenario: Scenario
    measurements: Measurements
    samples: Samples

    @property
    def subject(self) -> str:
        """The target that its SLA is about."""
        return next(target for target in SUBJECTS if target in self.samples.targets)


def judge_finished(
    before: Sequence[FinishedRun], after: FinishedRun, min_effect: float, differing: Sequence[str] = ()
) -> Comparison:
    """The runs of side A, oldest first, against the one of side B. UsageError where a run is too short for that.

    `differing` says what keeps the runs from being compared, where that was asked for all the same. A side that can't
    be trusted makes every answer `undecided`; of several runs of side A the caller leaves out those.
    """
    last = before[-1]
    findings = (*_disturbed(A, last), *_disturbed(B, after), _apart_in_time(before, after), *_unlike(differing))
    earlier, newest = [blocks(run) for run in before], Pool(blocks(after))
    together = Pool([block for run in earlier for block in run])
    spreads = {name: _spread([Pool(run) for run in earlier], q) for name, q in PERCENTILES.items()}
    found = tuple(_difference(name, together, newest, spreads[name], len(before), min_effect) for name in PERCENTILES)
    if any(finding.hard for finding in findings):
        found = tuple(diff.model_copy(update={"answer": "undecided"}) for diff in found)
    measures = tuple(
        measure.model_copy(update={"target": letter})
        for letter, run in ((A, last), (B, after))
        for measure in measures_of(run.scenario, run.measurements, run.samples)
        if measure.target == run.subject
    )
    return Comparison(
        name=after.scenario.name,
        measurements=after.measurements,
        sides={A: ", ".join(run.name for run in before), B: after.name},
        min_effect=min_effect,
        n_rounds=min(together.n_blocks, newest.n_blocks),
        measures=measures,
        differences=found,
        findings=(*findings, *(finding for measure in measures for finding in unanswered(measure))),
        finished=FinishedRuns(n_before=len(before), between_runs=spreads, differing=tuple(differing)),
    )


def blocks(run: FinishedRun) -> list[Floats]:
    """The judged latencies in ms, cut by their due times; UsageError where there are fewer blocks than it takes."""
    judged = run.samples.judged(run.subject)
    latency_ms = answered_ms(judged, run.scenario.traffic.timeout_s * 1e3)
    segments = np.unique(judged.segment)
    found: list[Floats] = []
    for segment in segments:
        rows = judged.segment == segment
        due_s = judged.due_s[rows]
        length_s = float(np.ptp(due_s)) if due_s.size else 0.0
        n = max(1, min(math.floor(length_s / BLOCK_S + 0.5), math.ceil(_MOST_BLOCKS / segments.size)))
        place = np.minimum((due_s - due_s.min()) / max(length_s, 1e-9) * n, n - 1).astype(np.int64)
        found += [part for part in (latency_ms[rows][place == number] for number in range(n)) if part.size]
    if len(found) < FEWEST_ROUNDS:
        raise UsageError(
            f"its judged window makes {len(found)} blocks of {BLOCK_S:g} s; intervals need {FEWEST_ROUNDS}",
            where=run.name,
            remedy=f"run it with a traffic.window_s of {FEWEST_ROUNDS * BLOCK_S:g} or more",
        )
    return found


def _errors(pool: Pool, q: float) -> tuple[float, float]:
    """Standard errors of the q-quantile in ms and of its logarithm."""
    drawn, left_out = draws(pool.n_blocks)
    booted, knifed = pool.percentiles(q, drawn), pool.percentiles(q, left_out)
    return standard_error(booted, knifed), standard_error(np.log(booted), np.log(knifed))


def _spread(pools: Sequence[Pool], q: float) -> float:
    """Standard deviation of the logarithm from run to run, beyond the runs' own errors; NaN for a single run."""
    if len(pools) < 2:
        return math.nan
    between = float(np.var([math.log(percentile(pool.values_ms, q)) for pool in pools], ddof=1))
    return math.sqrt(max(between - float(np.mean([_errors(pool, q)[1] ** 2 for pool in pools])), 0.0))


def _difference(name: str, a: Pool, b: Pool, spread: float, n_before: int, min_effect: float) -> Difference:
    q = PERCENTILES[name]
    a_ms, b_ms = percentile(a.values_ms, q), percentile(b.values_ms, q)
    own_ms, own_log = zip(_errors(a, q), _errors(b, q), strict=True)
    sizes = [a.n_blocks - 1, b.n_blocks - 1]
    drift = [] if math.isnan(spread) else [(spread**2 * (1 + 1 / n_before), n_before - 1)]
    half_log = _half_width([*((error**2, n) for error, n in zip(own_log, sizes, strict=True)), *drift])
    in_ms = [(variance * a_ms**2, n) for variance, n in drift]
    half_ms = _half_width([*((error**2, n) for error, n in zip(own_ms, sizes, strict=True)), *in_ms])
    return difference(name, (a_ms, b_ms), half_ms, half_log, min_effect)


def _half_width(parts: Sequence[tuple[float, int]]) -> float:
    """Half of the interval of a difference, from variances of its parts and their degrees of freedom."""
    total = sum(variance for variance, _ in parts)
    if total == 0.0:
        return 0.0
    return t_quantile(total**2 / sum(variance**2 / n for variance, n in parts)) * math.sqrt(total)


def _disturbed(letter: str, run: FinishedRun) -> list[Finding]:
    """What makes a side untrustworthy, except for what the intervals allow for."""
    measures = measures_of(run.scenario, run.measurements, run.samples)
    found = find(run.scenario, run.measurements, measures, (), run.samples, subjects=(run.subject,))
    return [
        finding.model_copy(update={"target": letter, "message": f"{letter}: {finding.message}"})
        for finding in found
        if finding.hard and finding.name != TOO_FEW
    ]


def _apart_in_time(before: Sequence[FinishedRun], after: FinishedRun) -> Finding:
    covered = (
        "the intervals do not cover that, so a small difference may be the machine's"
        if len(before) == 1
        else f"the intervals allow for as much as the {len(before)} runs of A differ among themselves"
    )
    when = before[-1].measurements.created, after.measurements.created
    return Finding(
        name="not-interleaved",
        message=f"A was measured {when[0]}, B {when[1]}: whatever changed on the machine in between counts as a "
        f"difference between them, and {covered}",
        remedy="measure both sides in interleaved rounds of the same requests (`harness compare A B`), or run the "
        "scenario several times: `harness history --fail-on-regression` allows for what its runs differ by",
    )


def _unlike(differing: Sequence[str]) -> list[Finding]:
    if not differing:
        return []
    return [
        Finding(
            name="not-alike",
            message=f"compared by force, though these differ: {'; '.join(differing)}",
            remedy="compare runs of one scenario on one machine",
        )
    ]
