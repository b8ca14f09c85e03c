"""What a run tells while it goes on: typed events, and plain lines within a stage. `str` of an event is a line too.

Events are plain values: `to_data` makes them JSON, `from_data` reads that back, and `progress.jsonl` in a run directory
keeps them with their times, so that a run can be followed, and its estimates checked, from files.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class PlannedStage:
    """One stage ahead: how long it will take in s (None: nothing is known of it), and whether it is in the cache.

    traffic_s is the part of it that is planned traffic, and takes as long on any machine; `followed` where that is all
    of one load test, which then tells where it is.
    """

    stage: str
    expected_s: float | None
    cached: bool = False
    traffic_s: float = 0.0
    followed: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """The stages of one scenario in their order, and its latency objectives, `{"p99": 25.0}` in ms."""

    name: str
    stages: tuple[PlannedStage, ...]
    limits_ms: dict[str, float] = field(default_factory=dict)

    @property
    def expected_s(self) -> float:
        """All that is known of its time, in s."""
        return sum(stage.expected_s or 0.0 for stage in self.stages)

    @property
    def unknown(self) -> tuple[str, ...]:
        """The stages whose time is not known."""
        return tuple(stage.stage for stage in self.stages if stage.expected_s is None)

    def __str__(self) -> str:
        return f"about {duration(self.expected_s)}{without(self.unknown)}"


@dataclass(frozen=True, slots=True)
class SuiteStarted:
    """Several scenarios are about to run, in this order; those of the names in `finished` have been run before."""

    plans: tuple[Plan, ...]
    finished: tuple[str, ...] = ()

    def __str__(self) -> str:
        unknown = tuple(f"{plan.name}: {stage}" for plan in self.plans for stage in plan.unknown)
        expected_s = sum(plan.expected_s for plan in self.plans)
        before = f", {len(self.finished)} finished before" if self.finished else ""
        return f"{len(self.plans)} scenarios{before}, about {duration(expected_s)}{without(unknown)}"


@dataclass(frozen=True, slots=True)
class ScenarioStarted:
    """A scenario begins."""

    plan: Plan

    def __str__(self) -> str:
        return f"{self.plan.name}: {self.plan}"


@dataclass(frozen=True, slots=True)
class StageStarted:
    """A stage begins."""

    stage: str

    def __str__(self) -> str:
        return self.stage


@dataclass(frozen=True, slots=True)
class Count:
    """Within a stage, `n_done` of `n` things are done."""

    what: str
    n_done: int
    n: int
    remark: str = ""

    def __str__(self) -> str:
        return f"{self.what} {self.n_done}/{self.n}{f', {self.remark}' if self.remark else ''}"


@dataclass(frozen=True, slots=True)
class LoadProgress:
    """Where a segment of a load test is, and the latency of its target so far.

    passed_s of of_s: seconds of the segment, warm-up included; n_due, n_ok: its requests that have come due and have a
    known outcome, and those with a 2xx answer. latency_ms: percentiles (`p50` to `p999`) over all judged requests of
    the target in this load test, from the generator's running histogram; None where so many failed that a percentile
    was not answered; empty in the first warm-up. late_p99_ms: of the answers since the last such event.
    """

    target: str
    round: int
    n_rounds: int
    passed_s: float
    of_s: float
    n_due: int
    n_ok: int
    latency_ms: dict[str, float | None] = field(default_factory=dict)
    late_p99_ms: float | None = None
    done: bool = False

    def __str__(self) -> str:
        where = f"{self.target}, round {self.round}/{self.n_rounds}"
        if self.done:
            return f"{where}: done, {self.n_ok} of {self.n_due} requests answered{self._measured()}"
        return f"{where}: {self.passed_s:.0f}/{self.of_s:.0f} s, {self.n_due} due{self._measured() or ', warm-up'}"

    def _measured(self) -> str:
        shown = {name: self.latency_ms[name] for name in ("p50", "p99") if name in self.latency_ms}
        return "".join(f", {name} {milliseconds(value)}" for name, value in shown.items())


@dataclass(frozen=True, slots=True)
class StageDone:
    """A stage has ended; `cached` where it was taken from the cache."""

    stage: str
    took_s: float
    cached: bool = False

    def __str__(self) -> str:
        return f"{self.stage}: {'from the cache' if self.cached else 'done'} in {duration(self.took_s)}"


@dataclass(frozen=True, slots=True)
class ScenarioDone:
    """A scenario has ended: its verdict, or FAILED; `reused` where it had been finished before and was not run."""

    name: str
    status: str
    run: str
    reused: bool = False

    def __str__(self) -> str:
        return f"{self.name}: {self.status}{', finished before' if self.reused else ''}"


FAILED = "failed"
"""Status of a scenario whose run did not come to its end."""
Event = SuiteStarted | ScenarioStarted | StageStarted | Count | LoadProgress | StageDone | ScenarioDone
Progress = Callable[[str | Event], None]
"""Takes what is told: an event, or a line about the stage that is on."""

_MOST_NAMED = 4
_KINDS: dict[str, type[Any]] = {
    "suite_started": SuiteStarted,
    "scenario_started": ScenarioStarted,
    "stage_started": StageStarted,
    "count": Count,
    "load": LoadProgress,
    "stage_done": StageDone,
    "scenario_done": ScenarioDone,
}


def to_data(event: str | Event, at_s: float) -> dict[str, Any]:
    """An event, or a line, that came `at_s` seconds after the start, as JSON has it."""
    if isinstance(event, str):
        return {"at_s": round(at_s, 3), "event": "line", "text": event}
    kind = next(name for name, of in _KINDS.items() if isinstance(event, of))
    return {"at_s": round(at_s, 3), "event": kind, **asdict(event)}


def from_data(data: dict[str, Any]) -> tuple[float, str | Event]:
    """What `to_data` made: the time and the event. KeyError or TypeError where it is something else."""
    values = {name: value for name, value in data.items() if name not in ("at_s", "event")}
    at_s = float(data["at_s"])
    match data["event"]:
        case "line":
            return at_s, str(values["text"])
        case "suite_started":
            plans = tuple(_plan(plan) for plan in values["plans"])
            return at_s, SuiteStarted(plans, tuple(values["finished"]))
        case "scenario_started":
            return at_s, ScenarioStarted(_plan(values["plan"]))
    event: Event = _KINDS[data["event"]](**values)
    return at_s, event


def _plan(data: dict[str, Any]) -> Plan:
    return Plan(data["name"], tuple(PlannedStage(**stage) for stage in data["stages"]), data["limits_ms"])


class Outcome:
    """What a stage says of itself before it ends."""

    cached = False


@contextmanager
def stage(progress: Progress, name: str) -> Iterator[Outcome]:
    """Tell that a stage begins, and that it has ended, if it has not failed."""
    progress(StageStarted(name))
    started, outcome = time.perf_counter(), Outcome()
    yield outcome
    progress(StageDone(name, round(time.perf_counter() - started, 3), outcome.cached))


def duration(seconds: float) -> str:
    """`0.6 s`, `42 s`, `2 min 05 s`, `1 h 07 min`."""
    if seconds < 9.95:
        return f"{max(seconds, 0.0):.1f} s"
    minutes, rest_s = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest_s} s"
    return f"{minutes} min {rest_s:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def milliseconds(value: float | None) -> str:
    """A latency; `not answered` where failed requests reach down to that percentile."""
    return "not answered" if value is None else f"{value:.3g} ms" if value < 1000 else f"{value:.0f} ms"


def without(unknown: tuple[str, ...]) -> str:
    """What an estimate leaves out, by name where that is short."""
    if len(unknown) > _MOST_NAMED:
        return f" and {len(unknown)} stages of unknown length"
    return f" and what is not known: {', '.join(unknown)}" if unknown else ""
