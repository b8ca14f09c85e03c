"""How much longer it will take: the plan's estimates, less what has passed since."""

from __future__ import annotations

from dataclasses import dataclass

from harness.events import (
    Count,
    Event,
    LoadProgress,
    Plan,
    PlannedStage,
    ScenarioDone,
    ScenarioStarted,
    StageDone,
    StageStarted,
    SuiteStarted,
    duration,
    without,
)

_OVERDUE_SHARE = 0.1
"""A stage that is over its estimate is taken to need this share more of the time that it took so far."""
_ENDING_S = 1.0
"""From the last request of a load test to the end of its stage."""
_PRIOR_S = 10.0
"""As if a machine had taken as long as was expected for this time already, before its pace is told."""


@dataclass(frozen=True)
class Estimate:
    """Seconds left of all that is known, and the stages that nothing is known of."""

    left_s: float
    unknown: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"about {duration(self.left_s)} left{without(self.unknown)}"


@dataclass
class _Running:
    planned: PlannedStage
    started_s: float
    expected_s: float | None
    traffic_s: float = 0.0
    """Traffic of the segments that have ended."""

    def left_s(self, now_s: float) -> float | None:
        if self.expected_s is None:
            return None
        passed_s = now_s - self.started_s
        return self.expected_s - passed_s if passed_s < self.expected_s else _OVERDUE_SHARE * passed_s


class TimeLeft:
    """Takes all that a run, or several, tell, with the time of it in s, and says at any moment what is left.

    What the plan expects is scaled by the pace of the stages so far, all but traffic, which keeps its time. A load test
    is followed by where it is. A stage of unknown length that counts is expected to go on at the pace of its count.
    """

    def __init__(self) -> None:
        self._later: dict[str, Plan] = {}
        self._ahead: dict[str, PlannedStage] = {}
        self._running: _Running | None = None
        self._told = False
        self._took_s, self._planned_s = _PRIOR_S, _PRIOR_S

    def take(self, event: str | Event, now_s: float) -> None:
        """What was told at `now_s`."""
        match event:
            case SuiteStarted(plans, _):
                self._told, self._later = True, {plan.name: plan for plan in plans}
            case ScenarioStarted(plan):
                self._told = True
                self._later.pop(plan.name, None)
                self._ahead = {stage.stage: stage for stage in plan.stages}
            case StageStarted(stage):
                planned = self._ahead.pop(stage, PlannedStage(stage, None))
                self._running = _Running(planned, now_s, self._expected_s(planned))
            case Count() | LoadProgress() if self._running is not None:
                self._correct(self._running, event, now_s)
            case StageDone():
                self._end(event)
            case ScenarioDone(name):
                self._running = None
                self._ahead.clear()
                self._later.pop(name, None)

    def at(self, now_s: float) -> Estimate | None:
        """The estimate at a moment; None before any plan is known."""
        if not self._told:
            return None
        later = [(f"{plan.name}: {stage.stage}", stage) for plan in self._later.values() for stage in plan.stages]
        known = {name: self._expected_s(stage) for name, stage in (*self._ahead.items(), *later)}
        if self._running is not None:
            known = {self._running.planned.stage: self._running.left_s(now_s), **known}
        left_s = sum(seconds for seconds in known.values() if seconds is not None)
        return Estimate(left_s, tuple(name for name, seconds in known.items() if seconds is None))

    def _expected_s(self, planned: PlannedStage) -> float | None:
        if planned.expected_s is None:
            return None
        return planned.traffic_s + (planned.expected_s - planned.traffic_s) * self._took_s / self._planned_s

    def _correct(self, running: _Running, event: Count | LoadProgress, now_s: float) -> None:
        passed_s, planned = now_s - running.started_s, running.planned
        if isinstance(event, Count):
            if planned.expected_s is None:
                running.expected_s = passed_s * event.n / event.n_done
        elif planned.followed:
            ahead_s = planned.traffic_s - running.traffic_s - event.passed_s
            running.expected_s = passed_s + max(ahead_s, 0.0) + _ENDING_S
            running.traffic_s += event.of_s if event.done else 0.0

    def _end(self, done: StageDone) -> None:
        running, self._running = self._running, None
        if running is not None and running.planned.expected_s is not None:
            self._took_s += max(done.took_s - running.planned.traffic_s, 0.0)
            self._planned_s += max(running.planned.expected_s - running.planned.traffic_s, 0.0)
