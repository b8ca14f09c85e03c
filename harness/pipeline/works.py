"""The work of a scenario, stage by stage, by what decides how long it takes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from harness.events import duration
from harness.judge.looks import looks
from harness.pipeline.build import ranker_stage, step_stage
from harness.pipeline.min_qps import traffic_at_min_qps
from harness.scenario import Scenario, Traffic, resolved

_OPENING_S = 4.0
"""What it takes to start a server, and what a load stage takes beside its traffic, each at a guess."""
_ASIDE_S, _TIMES_S = 1.0, 3.0
_SCALES = ("train_groups", "n_trees", "epochs")
"""Options that the time of a fit grows with, about linearly."""


@dataclass(frozen=True)
class Work:
    """One stage, and what is known of its time.

    planned_s: the share that the scenario itself sets, `followed` where that is one load test; `exact` names all that
    the rest depends on, `alike` ever less of it; `size` is what that rest grows with; guess_s: the rest, for want of
    anything better. `kept`: what the stage makes is a bundle; `once`: it is something that a plan does not look for,
    such as compiled code, so that the stage is quicker from the second time on.
    """

    stage: str
    exact: dict[str, Any]
    alike: tuple[dict[str, Any], ...] = ()
    size: float = 1.0
    planned_s: float = 0.0
    guess_s: float | None = None
    followed: bool = False
    kept: bool = False
    once: bool = False
    note: str = ""


def works_of(scenario: Scenario) -> tuple[Work, ...]:
    """All stages of a run, in their order."""
    asked = resolved(scenario)
    made = ("data", "ranker", "compress", "engine", "target")
    recipe = {name: asked.get(name) for name in made}
    building = _building(scenario, asked) if scenario.target is None else ()
    size = _size(recipe["data"] or {})
    like = ({"stage": "data", "on": scenario.data.kind},) if size > 1 else ()  # else its size is not in the scenario
    return (
        Work("data", {"stage": "data", "data": recipe["data"]}, like, size),
        *building,
        *_loading(scenario, asked, recipe),
    )


def _loading(scenario: Scenario, asked: dict[str, Any], recipe: dict[str, Any]) -> Iterator[Work]:
    n_sides, planned_s = _n_sides(scenario), _load_s(scenario)
    yield Work(
        "servers", {"stage": "servers", **recipe}, ({"stage": "servers", "n": n_sides},), guess_s=n_sides * _OPENING_S
    )
    exact = recipe | {name: asked.get(name) for name in ("traffic", "serve", "load", "sla", "capacity")}
    one_test = scenario.capacity is None and traffic_at_min_qps(scenario) is None and len(looks(scenario.traffic)) == 1
    yield Work(
        "load",
        {"stage": "load", **exact},
        ({"stage": "load", "n": n_sides, "processes": scenario.load.processes, "one test": one_test},),
        planned_s=planned_s,
        guess_s=_OPENING_S,
        followed=one_test,
        note=_load_note(scenario, n_sides),
    )
    size = scenario.traffic.offered_qps * planned_s
    for name in ("audit", "report"):
        yield Work(name, {"stage": name, **exact}, ({"stage": name},), size, guess_s=_ASIDE_S)


def _building(scenario: Scenario, asked: dict[str, Any]) -> Iterator[Work]:
    data, ranker, steps = asked.get("data"), asked["ranker"], asked["compress"]
    kind, on = scenario.ranker.kind, scenario.data.kind if data else ""
    size = _size(data or {}) * _size(ranker)
    exact: dict[str, Any] = {"ranker": ranker, "data": data}
    yield Work(ranker_stage(scenario), {"stage": "ranker", **exact}, ({"ranker": kind, "on": on},), size, kept=True)
    for index, choice in enumerate(scenario.compress):
        own = size * _size(steps[index])
        like = {"method": choice.kind, "ranker": kind, "on": on}
        yield Work(
            step_stage(index, choice),
            {"stage": "step", **exact, "compress": steps[: index + 1]},
            (like,),
            own,
            kept=True,
        )
    exact |= {"compress": steps, "engine": asked["engine"], "n_candidates": asked["traffic"]["n_candidates"]}
    kinds = [kind, scenario.engine.kind, *(choice.kind for choice in scenario.compress)]
    for name, guess_s, once in (("engines", None, True), ("engine times", _TIMES_S, False), ("memory", None, True)):
        alike = ({"stage": name, "like": kinds}, {"stage": name, "n": len(kinds)})
        yield Work(name, {"stage": name, **exact}, alike, guess_s=guess_s, once=once)


def _size(options: dict[str, Any]) -> float:
    return math.prod(float(options[name]) for name in _SCALES if isinstance(options.get(name), int))


def _n_sides(scenario: Scenario) -> int:
    """Servers under load. The teacher is one of them unless it is the same as what is judged."""
    same = not scenario.compress and scenario.engine.kind == "native"
    return 1 if scenario.target is not None or not scenario.traffic.teacher or same else 2


def _load_s(scenario: Scenario) -> float:
    """Planned time of all traffic, to the first look at a run that may go on."""
    at_min_qps = traffic_at_min_qps(scenario)
    return (
        _n_sides(scenario) * _segments_s(scenario.traffic)
        + (_segments_s(at_min_qps) if at_min_qps is not None else 0.0)
        + (scenario.capacity.budget_s if scenario.capacity is not None else 0.0)
    )


def _segments_s(traffic: Traffic) -> float:
    return traffic.window_s + traffic.rounds * traffic.warm_up_s


def _load_note(scenario: Scenario, n_sides: int) -> str:
    traffic = scenario.traffic
    parts = [f"{n_sides} x ({traffic.window_s:g} s window + {traffic.rounds} x {traffic.warm_up_s:g} s warm-up)"]
    if traffic_at_min_qps(scenario) is not None:
        parts.append("once more at min_qps")
    if scenario.capacity is not None:
        parts.append(f"capacity search {scenario.capacity.budget_s:g} s")
    if len(looks(traffic)) > 1:
        parts.append(f"goes on up to {duration(looks(traffic)[-1].window_s)} per side while undecided")
    return ", ".join(parts)
