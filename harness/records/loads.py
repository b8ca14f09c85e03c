"""What a load test tells: the generator, the machine, the targets, and their answers."""

from __future__ import annotations

from harness.records.base import Facts, Record


class Spread(Record):
    """A share over the seconds of a window: its mean weighted by time, and its worst second. NaN where unknown."""

    mean: float = float("nan")
    worst: float = float("nan")


class MachineMeasure(Record):
    """What the machine did in the judged windows of one target; see `MachineLog` for the quantities.

    throttled_s: seconds held back in all; generator_cpu_share_max: the busiest generator process in its busiest
    second; server_cpu_us: CPU time of the server per answered request.
    """

    n_seconds: int = 0
    steal: Spread = Spread()
    foreign: Spread = Spread()
    cpu_pressure: Spread = Spread()
    memory_pressure: Spread = Spread()
    io_pressure: Spread = Spread()
    throttled_s: float = float("nan")
    generator_cpu_share_max: float = float("nan")
    server_cpu_us: float = float("nan")


class TargetMeasure(Record):
    """What the load test saw of one target over its judged windows (latency from the due time, in ms).

    Percentiles count failed and unsent requests as over every limit (infinite); `server_*` come from the SUT itself.
    """

    target: str
    engine: str = ""
    n_planned: int
    n_ok: int
    n_failed: int
    n_unsent: int
    window_s: float
    achieved_qps: float
    latency_ms: dict[str, float]
    round_trip_ms: dict[str, float]
    send_lag_ms: dict[str, float]
    error_rate: float
    size_mb: float = float("nan")
    memory_mb: float = float("nan")
    server: dict[str, float] = {}
    machine: MachineMeasure = MachineMeasure()


class TargetInfo(Record):
    """What was served: engine and how it was set up, bundle digest and size, memory, server-side times."""

    target: str
    engine: str
    engine_info: Facts = {}
    bundle_digest: str = ""
    size_mb: float = float("nan")
    memory_mb: float = float("nan")
    server: dict[str, float] = {}


PRECISE_TIMER = "timerfd"
"""Name of the timer that sends requests on time; any other is late by up to 1.5 ms."""


class MachineLog(Record):
    """The machine once a second during a load test, as columns of equal length; NaN where it was not told.

    started: UTC; end_s: CLOCK_MONOTONIC at the end of each row, duration_s: what the row covers.
    steal_share, foreign_share: of the time of the generator's and server's cores, what the hypervisor withheld, and
    what processes other than the harness's own used. pressure_share: per resource (`cpu`, `memory`, `io`), the share
    of the time in which some task of the machine waited for it. throttled_share: time for which the control group's
    quota held tasks back. generator_cpu_share: per process of the load generator, its share of one core.
    server_cpu_s: per target, CPU time of its server in that row.
    """

    started: str
    generator_cpus: tuple[int, ...]
    server_cpus: tuple[int, ...]
    end_s: tuple[float, ...]
    duration_s: tuple[float, ...]
    steal_share: tuple[float, ...]
    foreign_share: tuple[float, ...]
    throttled_share: tuple[float, ...]
    pressure_share: dict[str, tuple[float, ...]]
    generator_cpu_share: tuple[tuple[float, ...], ...]
    server_cpu_s: dict[str, tuple[float, ...]]


class Audit(Record):
    """What the kept answers of one target say: every request with a 2xx answer, warm-up included.

    Counts are requests. `n_different` answers have scores, or an order, that the bundle's offline scores of the same
    candidates contradict by more than `tolerance` (a share of the largest score of the list; None: not compared).
    `ndcg_served` is the mean NDCG of the candidate lists as they were answered, `ndcg_offline` that of the same lists
    by the offline scores; NaN where grades or a bundle are missing.
    """

    target: str
    n_answers: int
    n_distinct: int
    n_checked: int
    n_not_kept: int = 0
    n_redirected: int = 0
    n_malformed: int = 0
    n_wrong_length: int = 0
    n_not_finite: int = 0
    n_not_a_permutation: int = 0
    n_different: int = 0
    compared_with: str = ""
    tolerance: float | None = None
    largest_difference: float = float("nan")
    ndcg_served: float = float("nan")
    ndcg_offline: float = float("nan")
    example: str = ""

    @property
    def n_wrong(self) -> int:
        """Checked answers with any fault; each has one."""
        return self.n_malformed + self.n_wrong_length + self.n_not_finite + self.n_not_a_permutation + self.n_different


class LoadInfo(Record):
    """What the generator says of itself: schedule hash, load processes, settings.

    generator_cpu_share is CPU time per second of wall time, the mean over time of the busiest load process, and `_max`
    its busiest second; loop_lag_ms_max: how late the loop of any of them was at most within judged windows.
    window_s: planned judged time per target, over all rounds; 0 in records of old, where it is the scenario's.
    segment_start_s: CLOCK_MONOTONIC of the first worker from which the times of each segment's samples count.
    n_out_of_step: by target, connections that brought more than the answers asked for.
    """

    schedule_sha256: str
    arrival: str
    offered_qps: float
    n_planned: int
    window_s: float = 0.0
    generator_cpu_share: float = float("nan")
    generator_cpu_share_max: float = float("nan")
    loop_lag_ms_max: float = float("nan")
    n_workers: int = 1
    n_workers_lost: int = 0
    timer: str = ""
    locust_version: str = ""
    complete: bool = True
    notes: tuple[str, ...] = ()
    segment_start_s: tuple[float, ...] = ()
    n_out_of_step: dict[str, int] = {}
    machine: MachineLog | None = None
