"""Scenario files: their types, how they are read, expanded and checked."""

from harness.scenario.schema import Choice, Scenario, Serve, Sla, Traffic, quantile_of

__all__ = ["Choice", "Scenario", "Serve", "Sla", "Traffic", "quantile_of"]
