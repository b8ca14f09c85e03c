"""Scenario files: their types, how they are read, expanded and checked."""

from harness.scenario.block import Choice
from harness.scenario.check import from_resolved, options
from harness.scenario.files import SUFFIXES
from harness.scenario.json_schema import json_schema
from harness.scenario.load import LoadedScenario, load, load_one
from harness.scenario.resolve import dump_yaml, resolved
from harness.scenario.schema import Scenario, Serve, Sla, quantile_of
from harness.scenario.target import Access, ExternalTarget
from harness.scenario.template import TEMPLATE
from harness.scenario.traffic import CandidateCount, Load, Traffic

__all__ = [
    "SUFFIXES",
    "TEMPLATE",
    "Access",
    "CandidateCount",
    "Choice",
    "ExternalTarget",
    "Load",
    "LoadedScenario",
    "Scenario",
    "Serve",
    "Sla",
    "Traffic",
    "dump_yaml",
    "from_resolved",
    "json_schema",
    "load",
    "load_one",
    "options",
    "quantile_of",
    "resolved",
]
