"""How much longer it will take: the plan's estimates, less what has passed since."""

from __future__ import annotations

from dataclasses import dataclass

from harness.events import (
    Count,
    Event,
    Plan,
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


@dataclass(frozen=True)
class Estimate:
    """Seconds left of all that is known, and the stages that nothing is known of."""

    left_s: float
    unknown: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"about {duration(self.left_s)} left{without(self.unknown)}"


@dataclass
class _Running:
    stage: str
    started_s: float
    expected_s: float | None
    paced: bool

    def left_s(self, now_s: float) -> float | None:
        if self.expected_s is None:
            return None
        passed_s = now_s - self.started_s
        return self.expected_s - passed_s if passed_s < self.expected_s else _OVERDUE_SHARE * passed_s


class TimeLeft:
    """Takes all that a run, or several, tell, with the time of it in s, and says at any moment what is left.

    A stage of unknown length that counts is expected to go on at the pace of its count.
    """

    def __init__(self) -> None:
        self._later: dict[str, Plan] = {}
        self._ahead: dict[str, float | None] = {}
        self._running: _Running | None = None
        self._told = False

    def take(self, event: str | Event, now_s: float) -> None:
        """What was told at `now_s`."""
        match event:
            case SuiteStarted(plans, _):
                self._told, self._later = True, {plan.name: plan for plan in plans}
            case ScenarioStarted(plan):
                self._told = True
                self._later.pop(plan.name, None)
                self._ahead = {stage.stage: stage.expected_s for stage in plan.stages}
            case StageStarted(stage):
                expected_s = self._ahead.pop(stage, None)
                self._running = _Running(stage, now_s, expected_s, paced=expected_s is None)
            case Count(_, n_done, n) if self._running is not None and self._running.paced:
                self._running.expected_s = (now_s - self._running.started_s) * n / n_done
            case StageDone() | ScenarioDone():
                self._running = None
        if isinstance(event, ScenarioDone):
            self._ahead.clear()
            self._later.pop(event.name, None)

    def at(self, now_s: float) -> Estimate | None:
        """The estimate at a moment; None before any plan is known."""
        if not self._told:
            return None
        known_s = sum(s for s in self._ahead.values() if s is not None) + sum(
            p.expected_s for p in self._later.values()
        )
        unknown = [stage for stage, s in self._ahead.items() if s is None]
        if self._running is not None:
            left_s = self._running.left_s(now_s)
            known_s += left_s or 0.0
            unknown[:0] = [self._running.stage] if left_s is None else []
        later = [f"{plan.name}: {stage}" for plan in self._later.values() for stage in plan.unknown]
        return Estimate(known_s, (*unknown, *later))
