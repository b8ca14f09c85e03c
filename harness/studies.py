"""The records of studies: what several load tests in one session amount to. Written as capacity.json, compare.json."""

from __future__ import annotations

from typing import Literal

from harness.records import Facts, Finding, Measurements, Record, TargetCapacity, TargetMeasure, Versioned

UNKNOWN = float("nan")


class Capacity(TargetCapacity, Versioned):
    """A capacity search of one target, within `budget_s` of load tests."""

    kind: Literal["capacity"] = "capacity"
    name: str
    run: str = ""
    measurements: Measurements
    budget_s: float


class Difference(Record):
    """One percentile of B against that of A, with two-sided 95 % intervals; `answer` weighs the ratio B / A."""

    percentile: str
    a_ms: float
    b_ms: float
    difference_ms: float
    difference_lower_ms: float
    difference_upper_ms: float
    ratio: float
    ratio_lower: float
    ratio_upper: float
    answer: Literal["A faster", "B faster", "no difference", "undecided"]


class FinishedRuns(Record):
    """What a comparison of finished runs rests on, whose sides were not measured in turn.

    n_before: runs that side A is made of; between_runs: by percentile, the standard deviation of its logarithm from one
    of them to the next beyond their own errors (NaN for a single run); differing: what differs between the sides,
    though they were compared.
    """

    n_before: int
    between_runs: dict[str, float]
    differing: tuple[str, ...] = ()


class Comparison(Versioned):
    """Two sides load-tested in interleaved rounds of the same requests, or `finished` runs of two times.

    `sides` maps `A` and `B` to what was named on the command line. `min_effect` is the smallest ratio that matters,
    less one: below it an answer is `no difference`. No answer stands where a finding is hard. n_rounds: of both sides,
    or the blocks of the side that has fewer where they are `finished`.
    """

    kind: Literal["compare"] = "compare"
    name: str
    run: str = ""
    measurements: Measurements
    sides: dict[str, str]
    min_effect: float
    n_rounds: int
    measures: tuple[TargetMeasure, ...] = ()
    differences: tuple[Difference, ...] = ()
    findings: tuple[Finding, ...] = ()
    finished: FinishedRuns | None = None


class EngineTimes(Record):
    """One engine at one length of candidate list.

    `n_calls` timed calls; `ns_per_candidate_tree` is NaN for a network. difference: the largest of a score from the
    reference engine's, as a share of the largest score; same_order_share: of the lists, those that both sort alike;
    kendall_tau: rank correlation (tau-b) of both orders, the mean over lists, NaN where lists have one candidate;
    top10_share: of the reference's first ten candidates, how many are among the engine's first ten, on average.
    """

    n_candidates: int
    n_calls: int
    median_us: float
    p99_us: float
    ns_per_candidate_tree: float = UNKNOWN
    difference: float = UNKNOWN
    same_order_share: float = UNKNOWN
    kendall_tau: float = UNKNOWN
    top10_share: float = UNKNOWN


class BenchedEngine(Record):
    """One engine of a bench: how it was set up, what that took, and its times.

    `exact`: it scores like the reference, to the tolerance that it states. open_s: the first opening, in a process of
    its own; compile_s: the share of that which was spent on compiling, then or when what it found was compiled;
    load_s: opening it again; loaded_bytes: of what it loaded, 0 where it does not say; memory_bytes: resident memory
    that a process gains by it, libraries included.
    """

    engine: str
    options: Facts
    info: Facts
    exact: bool
    open_s: float
    compile_s: float
    load_s: float
    loaded_bytes: int
    memory_bytes: int
    times: tuple[EngineTimes, ...] = ()

    def at(self, n_candidates: int) -> EngineTimes | None:
        """Its times at one length, or None where the bench ended before."""
        return next((times for times in self.times if times.n_candidates == n_candidates), None)


class SkippedEngine(Record):
    """An engine that was not timed, and why: it refuses such bundles, takes too long to compile, or else."""

    engine: str
    reason: str
    refused: bool = False
    over_limit: bool = False


class Bench(Versioned):
    """One bundle on several engines, interleaved call by call in one process on one core.

    `what` was named on the command line; `bundle` and `n_trees` (0 for a network) are what that is; `candidates` says
    where rows came from; `reference` is the engine that scores are compared with; `lengths` are those asked for.
    """

    kind: Literal["bench"] = "bench"
    name: str
    run: str = ""
    measurements: Measurements
    what: str
    bundle: Facts
    n_trees: int
    candidates: str
    reference: str
    lengths: tuple[int, ...]
    compile_limit_s: float
    engines: tuple[BenchedEngine, ...] = ()
    skipped: tuple[SkippedEngine, ...] = ()
    findings: tuple[Finding, ...] = ()

    def fastest(self, n_candidates: int, *, exact: bool = True) -> BenchedEngine | None:
        """The engine with the lowest median at one length, of the exact ones or of all; None where none was timed."""
        timed = [(times.median_us, engine) for engine in self.engines if (times := engine.at(n_candidates))]
        fit = [(median_us, engine) for median_us, engine in timed if engine.exact or not exact]
        return min(fit, key=lambda pair: pair[0])[1] if fit else None


Study = Capacity | Comparison | Bench
