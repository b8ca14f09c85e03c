"""Scenario files: their types, how they are read, expanded and checked."""

from harness.scenario.check import from_resolved, options
from harness.scenario.json_schema import json_schema
from harness.scenario.load import LoadedScenario, load
from harness.scenario.resolve import dump_yaml, resolved
from harness.scenario.schema import Access, Choice, ExternalTarget, Scenario, Serve, Sla, Traffic, quantile_of
from harness.scenario.template import TEMPLATE

__all__ = [
    "TEMPLATE",
    "Access",
    "Choice",
    "ExternalTarget",
    "LoadedScenario",
    "Scenario",
    "Serve",
    "Sla",
    "Traffic",
    "dump_yaml",
    "from_resolved",
    "json_schema",
    "load",
    "options",
    "quantile_of",
    "resolved",
]
