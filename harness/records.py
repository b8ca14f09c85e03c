"""The records that stages write as JSON for the next stage: manifests, ledgers, measurements, verdicts, reports."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

SCHEMA_VERSION = 1
NON_FINITE = ("NaN", "Infinity", "-Infinity")
TEACHER, COMPRESSED, TARGET = "teacher", "compressed", "target"
SUBJECTS = (COMPRESSED, TARGET)
"""Names of what is judged: the compressed ranker, or an endpoint that the scenario's `target` names."""


def _revived(value: Any) -> Any:
    match value:
        case str() if value in NON_FINITE:
            return float(value)
        case dict():
            return {key: _revived(item) for key, item in value.items()}
        case list() | tuple():
            return [_revived(item) for item in value]
    return value


Facts = Annotated[dict[str, Any], BeforeValidator(_revived)]
"""Free-form values. The strings of `NON_FINITE` mean those floats in them too."""


class Record(BaseModel):
    """Base of everything written as JSON: frozen; unknown keys of a newer version are ignored when read.

    Strict JSON has no NaN and no infinities: they are written as the strings of `NON_FINITE` and read back as floats.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_inf_nan="strings")


class NdcgSpec(Record):
    """Which NDCG: cut-off k, and what a query group without a positive grade counts as."""

    k: int = Field(default=10, ge=1, description="cut-off rank")
    empty: Literal["skip", "zero", "one"] = Field(
        default="skip", description="what a query group without a positive grade counts as"
    )

    def __str__(self) -> str:
        return f"NDCG@{self.k} (groups without a positive: {self.empty})"


class FileEntry(Record):
    """One file of a bundle."""

    sha256: str
    n_bytes: int


class Manifest(Record):
    """What a bundle is: format, content digest, size and origin.

    `format` is `trees` (model.treelite, plus model.txt or model.json where the source library can read it back),
    `mlp` (model.npz), `torchscript` (model.pt) or `onnx` (model.onnx).
    """

    schema_version: int = SCHEMA_VERSION
    format: str
    digest: str
    files: dict[str, FileEntry]
    n_features: int
    feature_names: tuple[str, ...]
    parents: tuple[str, ...] = ()
    origin: Facts = {}
    size: ModelSize
    meta: Facts = {}

    @property
    def source(self) -> str:
        """The library whose own file format the bundle also carries (`lightgbm`, `xgboost`), or ``""``."""
        return {"model.txt": "lightgbm", "model.json": "xgboost"}.get(
            next((name for name in ("model.txt", "model.json") if name in self.files), ""), ""
        )


class ModelSize(Record):
    """Size of a model by measures that are the same for both sides of a comparison.

    disk_bytes: the canonical artefact (Treelite checkpoint, or .npz of a network);
    packed_bits_per_node: trees in the fewest bits (see `harness.trees.packed_size`); NaN for networks.
    """

    n_trees: int = 0
    n_nodes: int = 0
    n_leaves: int = 0
    n_parameters: int = 0
    disk_bytes: int = 0
    packed_bits_per_node: float = float("nan")


class QualityDrop(Record):
    """Paired NDCG difference teacher - compressed over query groups, with one-sided 95 % bootstrap bounds."""

    ndcg: float
    drop: float
    drop_lower: float
    drop_upper: float
    n_groups: int


class LedgerRow(Record):
    """One step of a recipe: what it did to quality, size and time; `control` is the cheap alternative at equal size."""

    step: str
    params: Facts = {}
    digest: str
    quality: QualityDrop
    size: ModelSize
    engine: str = ""
    engine_us: float = float("nan")
    engine_us_p99: float = float("nan")
    build_s: float = float("nan")
    cached: bool = False
    control: LedgerRow | None = None
    notes: tuple[str, ...] = ()


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


class RateTried(Record):
    """One step of the search for the highest rate at which a generator process is honest."""

    offered_qps: float
    send_lag_ms_p99: float
    generator_cpu_share_max: float
    n_lost: int
    honest: bool


class Calibration(Record):
    """The noise floor of a machine: what the generator measures of a server that does nothing.

    created: UTC; machine: what identifies it (`cpu`, `cores`, `kernel`); measure: the null server under `traffic`;
    honest_qps: the highest rate per generator process at which the p99 of the send lag stayed below
    `send_lag_limit_ms`, the process kept a fifth of its core idle, and no request was lost; NaN where no rate was.
    findings: what disturbed the measurement.
    """

    schema_version: int = SCHEMA_VERSION
    created: str
    tool_version: str
    scenario: str = ""
    machine: Facts
    traffic: Facts
    request_bytes: int
    measure: TargetMeasure
    send_lag_limit_ms: float
    honest_qps: float
    rates: tuple[RateTried, ...] = ()
    findings: tuple[Finding, ...] = ()

    def age_days(self, at: str) -> float:
        """Days from the calibration to a moment in ISO 8601, such as `Measurements.created`."""
        return (datetime.fromisoformat(at) - datetime.fromisoformat(self.created)).total_seconds() / 86_400


class Measurements(Record):
    """Everything a run measured except the samples; `harness judge` needs this, the samples and the scenario.

    `min_qps_load` is the load test at `sla.min_qps`, where the run itself offers less.
    """

    schema_version: int = SCHEMA_VERSION
    tool_version: str
    created: str
    command: str
    scenario: Facts
    environment: Facts
    data: Facts = {}
    ndcg: NdcgSpec = NdcgSpec()
    ledger: tuple[LedgerRow, ...] = ()
    targets: tuple[TargetInfo, ...] = ()
    load: LoadInfo | None = None
    calibration: Calibration | None = None
    min_qps_load: LoadInfo | None = None
    audits: tuple[Audit, ...] = ()
    findings: tuple[Finding, ...] = ()
    stage_s: dict[str, float] = {}
    complete: bool = False
    failure: str = ""


class Report(Record):
    """What is published: measurements, what they amount to per target, and the verdict. Written as result.json.

    `run` is the name of the run directory, by which a suite's page links to it.
    """

    schema_version: int = SCHEMA_VERSION
    name: str
    run: str = ""
    measurements: Measurements
    measures: tuple[TargetMeasure, ...] = ()
    verdict: Verdict

    def measure(self, target: str) -> TargetMeasure | None:
        """The measure of one target (`teacher`, `compressed`, `target`), or None where it was not load-tested."""
        return next((m for m in self.measures if m.target == target), None)


Manifest.model_rebuild()
LedgerRow.model_rebuild()
