"""What a scenario with a `target` leaves out, for nothing is built or served there; and one without data."""

from __future__ import annotations

from collections.abc import Iterator

from harness.scenario.schema import Scenario
from harness.scenario.source import Key

_BUILT = ("ranker", "compress", "engine", "serve")
_UNKNOWN = {
    "ndcg_drop": "needs a teacher, and a target has none",
    "memory_mb": "needs the server's own process, and a target may run anywhere",
}


def _without_data(scenario: Scenario) -> Iterator[tuple[Key, str]]:
    """What a model file without data can't answer."""
    if scenario.traffic.n_candidates is None:
        yield ("traffic", "n_candidates"), "null takes query groups, and made-up candidates have none: give a number"
    if scenario.sla.ndcg_drop is not None:
        yield ("sla", "ndcg_drop"), "can't be judged without grades: add a data block"


def replaced_by_target(scenario: Scenario) -> tuple[str, ...]:
    """Blocks that a scenario with a target does without."""
    return _BUILT if scenario.has_data else ("data", *_BUILT)


def conflicts(scenario: Scenario) -> Iterator[tuple[Key, str]]:
    """Key and message of everything that does not go with the scenario's target, or with its absence."""
    target, traffic = scenario.target, scenario.traffic
    if target is None:
        if traffic.n_features is not None:
            yield ("traffic", "n_features"), "is for random candidates of a target; here they come from data"
        if not scenario.has_data:
            yield from _without_data(scenario)
        return
    for name in _BUILT:
        if name in scenario.model_fields_set:
            yield (name,), "does not go with target, which replaces build and serve: remove one of the two"
    if "encoding" in traffic.model_fields_set:
        yield ("traffic", "encoding"), "is for our own server; set target.adapter.encoding"
    if scenario.has_data and traffic.n_features is not None:
        yield ("traffic", "n_features"), "is for random candidates; here they come from data"
    if not scenario.has_data and traffic.n_features is None:
        yield ("traffic",), "needs n_features, the width of random candidates; or give a data block to draw them from"
    if not scenario.has_data and traffic.n_candidates is None:
        yield ("traffic", "n_candidates"), "null takes query groups, and random candidates have none: give a number"
    for name in scenario.sla.objectives:
        if name in _UNKNOWN:
            yield ("sla", name), f"can't be judged for a target: it {_UNKNOWN[name]}"
    if scenario.sla.size_mb is not None and target.bundle is None:
        yield ("sla", "size_mb"), "can't be judged for a target without target.bundle"
