"""The load test that `sla.min_qps` needs where the run itself offers less."""

from __future__ import annotations

from harness.scenario import Scenario, Traffic


def traffic_at_min_qps(scenario: Scenario) -> Traffic | None:
    """The scenario's traffic at `min_qps`; None where there is no such objective, or the run offers as much.

    Closed arrival offers what the server takes; no other rate can be asked of it.
    """
    traffic, asked_qps = scenario.traffic, scenario.sla.min_qps
    if asked_qps is None or traffic.offered_qps >= asked_qps or traffic.arrival == "closed":
        return None
    return traffic.model_copy(update={"offered_qps": asked_qps, "rounds": 1, "seed": traffic.seed + 1})
