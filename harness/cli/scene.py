"""What the live screen shows: the state of a run, or of several, by all that was told so far."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.cli.time_left import TimeLeft
from harness.events import (
    Count,
    Event,
    LoadProgress,
    Plan,
    ScenarioDone,
    ScenarioStarted,
    StageDone,
    StageStarted,
    SuiteStarted,
)


@dataclass
class Stage:
    """One line of the screen. began_s: None where it is still ahead; took_s: None until it has ended."""

    name: str
    expected_s: float | None = None
    cached: bool = False
    began_s: float | None = None
    took_s: float | None = None


@dataclass
class Scene:
    """Fed with events and the time of each, in s."""

    name: str = ""
    n_scenarios: int = 1
    began_s: float = 0.0
    plan: Plan | None = None
    stages: list[Stage] = field(default_factory=list)
    line: str = ""
    load: LoadProgress | None = None
    done: list[ScenarioDone] = field(default_factory=list)
    time_left: TimeLeft = field(default_factory=TimeLeft)

    def take(self, event: str | Event, now_s: float) -> None:
        """What was told at `now_s`."""
        self.time_left.take(event, now_s)
        match event:
            case str():
                self.line = event
            case SuiteStarted(plans, before):
                self.n_scenarios = len(plans) + len(before)
            case ScenarioStarted(plan):
                self.plan, self.name, self.began_s = plan, plan.name, now_s
                self.stages = [Stage(stage.stage, stage.expected_s, stage.cached) for stage in plan.stages]
                self.done = [done for done in self.done if done.name != plan.name]  # it is run again
            case StageStarted(stage):
                self.line, self.load = "", None
                self._stage(stage).began_s = now_s
            case Count():
                self.line = str(event)
            case LoadProgress():
                self.load, self.line = event, ""
            case StageDone(stage, took_s, cached):
                found = self._stage(stage)
                found.took_s, found.cached = took_s, cached
                self.load = None
            case ScenarioDone():
                self.done.append(event)
                self.stages, self.line, self.load, self.plan = [], "", None, None

    def _stage(self, name: str) -> Stage:
        """The stage of that name; one that no plan has named comes last."""
        found = next((stage for stage in self.stages if stage.name == name), None)
        if found is None:
            found = Stage(name)
            self.stages.append(found)
        return found
