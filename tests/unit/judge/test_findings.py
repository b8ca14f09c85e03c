"""Every finding of a load test from recorded data: what raises it, how hard it is, and what just does not raise it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.judge.verdict import judge
from harness.records import LoadInfo, MachineLog, Measurements, Report, TargetInfo, VerdictStatus
from harness.samples import UNSENT, Samples
from harness.scenario import Scenario

QPS, WINDOW_S = 200.0, 20.0
START_S = (1000.0, 1030.0)  # CLOCK_MONOTONIC of the teacher's and the compressed ranker's segment
WARM_UP_S = 2.0
N_SECONDS = 60  # rows of the log, from second 1000 on
JUDGED = {"teacher": range(3, 22), "compressed": range(33, 52)}  # rows that lie wholly in a judged window


def due_times(arrival: str, rng: np.random.Generator) -> np.ndarray:
    n = int(QPS * WINDOW_S)
    if arrival == "constant":
        return np.arange(n) / QPS
    due_s = np.cumsum(rng.exponential(1 / QPS, 2 * n))
    return due_s[due_s < WINDOW_S]


def samples_of(arrival: str = "poisson", seed: int = 1, lag_s: float = 0.0001) -> Samples:
    """Two targets under the same traffic, answered in 2 to 6 ms."""
    rng = np.random.default_rng(seed)
    due_s = WARM_UP_S + due_times(arrival, rng)
    n = due_s.size
    latency_s = rng.uniform(0.002, 0.006, 2 * n)
    number = np.repeat(np.arange(2, dtype=np.int16), n)
    both = np.tile(due_s, 2)
    zeros = np.zeros(2 * n, dtype=np.int32)
    return Samples(
        ("teacher", "compressed"), number, number, np.ones(2 * n, dtype=np.bool_), both, both + lag_s,
        both + latency_s, np.full(2 * n, 200, dtype=np.int16), zeros, zeros,
    )  # fmt: skip


def log_of(**columns: object) -> MachineLog:
    """A quiet machine; a column may be given as {row: value}."""

    def column(name: str, usual: float) -> tuple[float, ...]:
        values = np.full(N_SECONDS, usual)
        for row, value in columns.get(name, {}).items():
            values[row] = value
        return tuple(values)

    return MachineLog(
        started="2025-01-31T12:00:00+00:00",
        generator_cpus=(0,),
        server_cpus=(1,),
        end_s=tuple(1000.0 + np.arange(1, N_SECONDS + 1)),
        duration_s=(1.0,) * N_SECONDS,
        steal_share=column("steal", 0.001),
        foreign_share=column("foreign", 0.01),
        throttled_share=column("throttled", 0.0),
        pressure_share={name: column(name, 0.01) for name in ("cpu", "memory", "io")},
        generator_cpu_share=(column("generator_a", 0.2), column("generator_b", math.nan)),
        server_cpu_s={"teacher": column("teacher_cpu", 0.0), "compressed": column("compressed_cpu", 0.1)},
    )


def judged(
    samples: Samples | None = None,
    log: MachineLog | None = None,
    arrival: str = "poisson",
    engine_info: dict[str, object] | None = None,
    **load: object,
) -> Report:
    info = {"schedule_sha256": "", "arrival": arrival, "offered_qps": QPS, "n_planned": 0} | load
    measurements = Measurements(
        tool_version="0",
        created="2025-01-31T12:00:00+00:00",
        command="",
        scenario={},
        environment={},
        targets=(
            TargetInfo(target="teacher", engine="e"),
            TargetInfo(target="compressed", engine="e", engine_info=engine_info or {}),
        ),
        load=LoadInfo(**info, segment_start_s=START_S, machine=log or log_of()),
        complete=True,
    )
    scenario = Scenario.model_validate(
        {"name": "s", "sla": {"p99_ms": 25}, "traffic": {"arrival": arrival, "offered_qps": QPS, "window_s": WINDOW_S}}
    )
    return judge(scenario, measurements, samples if samples is not None else samples_of(arrival))


def raised(report: Report, *, hard: bool) -> dict[str, str]:
    """Name -> target of the findings of that weight, without those that every such run has."""
    usual = {"no-calibration", "teacher-meets-latency"}
    return {f.name: f.target for f in report.verdict.findings if f.hard is hard and f.name not in usual}


@pytest.mark.parametrize("arrival", ["poisson", "constant"])
def test_a_quiet_run_raises_nothing(arrival):
    report = judged(arrival=arrival)
    assert raised(report, hard=True) == raised(report, hard=False) == {}
    assert report.verdict.status == VerdictStatus.PASS


def test_an_engine_that_another_stood_in_for_is_named_with_the_reason():
    report = judged(engine_info={"fallback": "gtil", "fallback_reason": "needs a C compiler\nand so on"})
    assert raised(report, hard=False) == {"engine-fallback": "compressed"}
    (finding,) = (f for f in report.verdict.findings if f.name == "engine-fallback")
    assert finding.message == "gtil served in place of e, which can't: needs a C compiler"


SECONDS = {
    "foreign-cpu": ("foreign", 0.25, 0.06, 0.05),
    "steal": ("steal", 0.1, 0.012, 0.01),
}


@pytest.mark.parametrize("name", SECONDS)
def test_a_share_is_judged_by_its_mean_and_tells_its_worst_second(name):
    column, worst, over, threshold = SECONDS[name]
    rows = JUDGED["compressed"]
    report = judged(log=log_of(**{column: {**dict.fromkeys(rows, over), rows[4]: worst}}))
    assert raised(report, hard=True) == {name: "compressed"}
    assert report.verdict.status == VerdictStatus.INVALID
    (finding,) = (f for f in report.verdict.findings if f.name == name)
    assert finding.threshold == threshold < finding.figure < worst
    assert f"{worst * 100:.1f} %" in finding.message
    assert raised(judged(log=log_of(**{column: {rows[4]: worst / 2}})), hard=True) == {}  # one bad second of twenty


@pytest.mark.parametrize(
    ("columns", "name"),
    [
        ({"foreign": 0.5}, "foreign-cpu"),
        ({"steal": 0.5}, "steal"),
        ({"cpu": 0.6}, "pressure"),
        ({"memory": 0.3}, "pressure"),
        ({"io": 0.3}, "pressure"),
        ({"throttled": 0.001}, "throttled"),
        ({"generator_a": 0.81}, "generator-busy"),
        ({"generator_b": 0.81}, "generator-busy"),
    ],
)
def test_what_disturbs_a_window_is_hard_for_the_subject_alone(columns, name):
    def spoilt(rows):
        return judged(log=log_of(**{column: dict.fromkeys(rows, value) for column, value in columns.items()}))

    ours, theirs, outside = spoilt(JUDGED["compressed"]), spoilt(JUDGED["teacher"]), spoilt([0, 1, 25, 31, 54, 59])
    assert raised(ours, hard=True) == {name: "compressed"}
    assert raised(ours, hard=False) == {}
    assert raised(theirs, hard=True) == {}
    assert raised(theirs, hard=False) == {name: "teacher"}
    assert raised(outside, hard=True) == raised(outside, hard=False) == {}


def test_one_busy_second_of_one_process_is_enough_and_one_throttled_moment_too():
    row = JUDGED["compressed"][7]
    for columns, name in (({"generator_b": {row: 0.95}}, "generator-busy"), ({"throttled": {row: 0.01}}, "throttled")):
        (finding,) = (f for f in judged(log=log_of(**columns)).verdict.findings if f.hard)
        assert finding.name == name
    assert (finding.figure, finding.unit) == (pytest.approx(0.01), "s")


def test_what_the_kernel_does_not_tell_is_said_but_not_held_against_the_run():
    unknown = {
        name: dict.fromkeys(range(N_SECONDS), math.nan)
        for name in ("foreign", "steal", "cpu", "memory", "io", "throttled", "generator_a")
    }
    report = judged(log=log_of(**unknown))
    assert raised(report, hard=True) == {}
    assert raised(report, hard=False) == {"not-watched": "compressed"}


def test_without_a_log_the_generators_own_figure_counts():
    measured = judged().measurements
    load = measured.load.model_copy(update={"machine": None, "generator_cpu_share_max": 0.9})
    report = judge(
        Scenario.model_validate({"name": "s", "sla": {"p99_ms": 25}, "traffic": {"offered_qps": QPS}}),
        measured.model_copy(update={"load": load}),
        samples_of(),
    )
    assert raised(report, hard=True) == {"generator-busy": ""}
    assert report.measure("compressed").machine.n_seconds == 0


def test_cpu_time_of_the_server_per_answered_request():
    machine = judged(log=log_of(compressed_cpu=dict.fromkeys(range(30), 99.0))).measure("compressed").machine
    assert machine.server_cpu_us == pytest.approx(0.1 / QPS * 1e6, rel=0.05)
    assert machine.n_seconds == 20


def test_late_sends():
    report = judged(samples_of(lag_s=0.0026))
    (hard,) = (f for f in report.verdict.findings if f.hard)
    assert (hard.name, hard.figure, hard.threshold) == ("send-lag", pytest.approx(2.6), 2.5)


def test_an_event_loop_that_stood_still():
    assert raised(judged(loop_lag_ms_max=12.6), hard=True) == {"loop-lag": ""}
    assert raised(judged(loop_lag_ms_max=12.4), hard=True) == {}
    assert raised(judged(loop_lag_ms_max=math.nan), hard=True) == {}


def test_planned_requests_that_never_came_due():
    n = len(samples_of())
    assert raised(judged(n_planned=n + 1), hard=True) == {"arrivals-off-plan": ""}
    assert raised(judged(n_planned=n), hard=True) == {}


@pytest.mark.parametrize("arrival", ["poisson", "constant"])
def test_arrivals_at_another_rate_than_asked(arrival):
    samples = samples_of(arrival)
    kept = np.ones(len(samples), dtype=bool)
    kept[::12] = False  # 8 % fewer: 5 standard deviations of a Poisson count of 4,000
    report = judged(samples.where(kept), arrival=arrival)
    assert {f.figure > f.threshold for f in report.verdict.findings if f.name == "arrivals-off-plan"} == {True}
    assert raised(report, hard=True) == {"arrivals-off-plan": "compressed"}


@pytest.mark.parametrize("arrival", ["poisson", "constant"])
def test_a_generator_that_stalls_and_catches_up(arrival):
    samples = samples_of(arrival)
    stalled = (samples.due_s >= 10.0) & (samples.due_s < 10.19)
    samples.sent_s[stalled] = 10.19  # 0.95 % of the requests leave together: the p99 of the lag does not see them
    assert raised(judged(samples, arrival=arrival), hard=True) == {"arrivals-off-plan": "compressed"}


def test_equal_gaps_are_no_poisson_process():
    samples = samples_of("constant")
    assert raised(judged(samples, arrival="poisson"), hard=True) == {"arrivals-off-plan": "compressed"}


def test_other_processes_are_held_to_their_own_plan():
    rng = np.random.default_rng(3)
    samples = samples_of()
    bursts = np.sort(rng.integers(0, 8, len(samples) // 2) * 2.5 + rng.uniform(0, 0.5, len(samples) // 2))
    faithful = samples.where(np.ones(len(samples), dtype=bool))
    for column, shift in ((faithful.due_s, 0.0), (faithful.sent_s, 0.0001), (faithful.done_s, 0.004)):
        column[:] = WARM_UP_S + np.tile(bursts, 2) + shift
    scenario = Scenario.model_validate({"name": "s", "sla": {"p99_ms": 25}, "traffic": {"offered_qps": QPS}})
    bursty = scenario.traffic.model_construct(**scenario.traffic.model_dump() | {"arrival": "bursty"})
    scenario = scenario.model_copy(update={"traffic": bursty})
    measurements = judged().measurements
    assert "arrivals-off-plan" not in raised(judge(scenario, measurements, faithful), hard=True)
    faithful.sent_s[:] = WARM_UP_S + np.tile(np.linspace(0, 20, bursts.size), 2)
    assert "arrivals-off-plan" in raised(judge(scenario, measurements, faithful), hard=True)


def test_requests_that_the_cap_kept_back_are_the_servers_doing():
    samples = samples_of()
    unsent = (samples.target == 1) & (np.arange(len(samples)) % 3 == 0)
    samples.status[unsent] = UNSENT
    samples.sent_s[unsent] = samples.done_s[unsent] = np.nan
    report = judged(samples)
    assert raised(report, hard=True) == {}
    assert report.verdict.status == VerdictStatus.FAIL
