"""The scenario with nothing left unsaid: every default of every plug-in written out, as it is saved with a run."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from ruamel.yaml import YAML

from harness import registry
from harness.scenario.check import KINDS, options
from harness.scenario.schema import Choice, Scenario


def resolved(scenario: Scenario) -> dict[str, Any]:
    """All keys with their values in the order of the types, as JSON would have them. Raises ScenarioError."""
    mapping = scenario.model_dump(mode="json")
    mapping["sla"] = {"ndcg": mapping["sla"]["ndcg"], **scenario.sla.objectives}
    for name, kind in KINDS.items():
        chosen = getattr(scenario, name)
        mapping[name] = [_full(kind, c) for c in chosen] if isinstance(chosen, tuple) else _full(kind, chosen)
    return mapping


def dump_yaml(mapping: Mapping[str, Any]) -> str:
    """YAML text that reads back as the same mapping, keys in their order."""
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.width = 120
    text = io.StringIO()
    yaml.dump(dict(mapping), text)
    return text.getvalue()


def _full(kind: registry.Kind, choice: Choice) -> dict[str, Any]:
    return {"kind": choice.kind, **options(kind, choice).model_dump(mode="json")}
