"""The plan of a run: its stages, which of them are in the cache, and how long each will take. Nothing is built."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness import registry
from harness.bundle import MANIFEST
from harness.cache import Cache, key_of
from harness.events import Event, Plan, PlannedStage, Progress, StageDone
from harness.pipeline.build import code_digest, ranker_stage, step_stage
from harness.pipeline.bundle_specs import BUNDLES, BundleSpecs
from harness.pipeline.experience import Experience
from harness.pipeline.inputs import data_key
from harness.pipeline.method_rules import check_order
from harness.pipeline.works import Work, works_of
from harness.records import Manifest
from harness.scenario import Choice, Scenario, options

_REUSE_S = 0.5
"""Opening what is in the cache and testing its quality, at a guess."""


def plan_of(scenario: Scenario, cache: Cache) -> Plan:
    """The plan of one scenario."""
    (plan,) = plans_of([scenario], cache)
    return plan


def plans_of(scenarios: Sequence[Scenario], cache: Cache) -> tuple[Plan, ...]:
    """The plans of scenarios that run one after the other, so that a later one finds what an earlier one has built."""
    experience, code = Experience(cache), code_digest()
    by_then: set[str] = set()
    plans = []
    for scenario in scenarios:
        check_order(scenario.compress)
        works = works_of(scenario)
        known = _cached_stages(scenario, works, cache, experience, code)
        if cache.enabled:
            known |= {work.stage for work in works if key_of(work.exact) in by_then}
            by_then |= {key_of(work.exact) for work in works if work.kept}
        stages = [_planned(work, work.stage in known, experience) for work in works]
        limits = {name.removesuffix("_ms"): limit for name, limit in scenario.sla.percentiles.items()}
        plans.append(Plan(scenario.name, tuple(stages), limits))
    return tuple(plans)


class Timekeeper:
    """Passes on what a run tells, and keeps how long its stages took, for later plans."""

    def __init__(self, scenario: Scenario, plan: Plan, cache: Cache, progress: Progress) -> None:
        self._works = {work.stage: work for work in works_of(scenario)}
        self._again = {s.stage for s in plan.stages if s.cached and self._works[s.stage].once}
        self._experience, self._progress = Experience(cache), progress

    def __call__(self, event: str | Event) -> None:
        """Take an event or a line."""
        if isinstance(event, StageDone) and event.stage in self._works:
            work, cached = self._works[event.stage], event.cached or event.stage in self._again
            for about in (work.exact, *work.alike):
                kept = {"time of": about, "cached": cached}
                own_s, before = event.took_s - work.planned_s, self._experience.recall(kept)
                if before is not None:  # half of it is the past, for a machine has better and worse minutes
                    own_s = (own_s + _own_s(before, work, about)) / 2
                self._experience.keep(kept, {"s": own_s, "size": work.size})
        self._progress(event)


def _own_s(fact: dict[str, float], work: Work, about: dict[str, Any]) -> float:
    """Seconds of a stage beside its traffic by a fact about it, or about another that is like it but for its size."""
    return fact["s"] if about == work.exact else fact["s"] * work.size / fact["size"]


def _planned(work: Work, cached: bool, experience: Experience) -> PlannedStage:
    guess_s = _REUSE_S if cached else work.guess_s
    expected_s = None if guess_s is None else work.planned_s + guess_s
    for about in (work.exact, *work.alike):
        fact = experience.recall({"time of": about, "cached": cached})
        if fact is not None:
            expected_s = work.planned_s + _own_s(fact, work, about)
            break
    known_s = None if expected_s is None else round(max(expected_s, 0.0), 3)
    return PlannedStage(work.stage, known_s, cached, work.planned_s, work.followed, work.note)


def _cached_stages(
    scenario: Scenario, works: Sequence[Work], cache: Cache, experience: Experience, code: str
) -> set[str]:
    """The stages whose bundles are there, followed from key to manifest to key; a check of their files is left out.

    Where all of them are, what was done with them before does not have to be done for the first time again.
    """
    digest = experience.recall({"digest of": data_key(scenario)})
    if not cache.enabled or scenario.target is not None or digest is None:
        return set()
    found = set(_followed(scenario, cache, BundleSpecs(digest, scenario.sla.ndcg, code)))
    if all(work.stage in found for work in works if work.kept):
        found |= {work.stage for work in works if work.once and _done_before(work, experience)}
    return found


def _done_before(work: Work, experience: Experience) -> bool:
    return any(experience.recall({"time of": work.exact, "cached": cached}) is not None for cached in (False, True))


def _followed(scenario: Scenario, cache: Cache, specs: BundleSpecs) -> Iterator[str]:
    teacher = _manifest(cache.entry(BUNDLES, key_of(specs.teacher(scenario.ranker))))
    if teacher is None:
        return
    yield ranker_stage(scenario)
    before = teacher
    for index, choice in enumerate(scenario.compress):
        after = _manifest(cache.entry(BUNDLES, key_of(specs.step(choice, before, teacher))))
        if after is None:
            return
        control = registry.method(choice.kind).control(options("methods", choice), before, after)
        rival = Choice.model_validate(control) if control is not None and scenario.has_data else None
        if rival is None or cache.entry(BUNDLES, key_of(specs.step(rival, before, teacher))).is_dir():
            yield step_stage(index, choice)
        before = after


def _manifest(entry: Path) -> Manifest | None:
    try:
        return Manifest.model_validate_json((entry / MANIFEST).read_bytes())
    except (OSError, ValidationError):
        return None
