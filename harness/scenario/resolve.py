"""The scenario with nothing left unsaid: every default of every plug-in written out, as it is saved with a run."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from ruamel.yaml import YAML

from harness import registry
from harness.scenario.block import Choice
from harness.scenario.check import KINDS, options
from harness.scenario.schema import Scenario
from harness.scenario.target_rules import replaced_by_target


def resolved(scenario: Scenario) -> dict[str, Any]:
    """All keys with their values in the order of the types, as JSON would have them. Raises ScenarioError."""
    mapping = scenario.model_dump(mode="json")
    mapping["sla"] = {"ndcg": mapping["sla"]["ndcg"], **scenario.sla.objectives}
    if scenario.target is not None:
        for name in replaced_by_target(scenario):
            del mapping[name]
        del mapping["traffic"]["encoding"]
    elif not scenario.has_data:
        del mapping["data"]
    for key, kind in KINDS.items():
        *above, name = map(str, key)
        holder, chosen = _inside(mapping, scenario, above)
        if holder and name in holder:
            holder[name] = _full(kind, getattr(chosen, name))
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


def _inside(mapping: Any, chosen: Any, path: list[str]) -> tuple[Any, Any]:
    """The block at a path, as a mapping and as the model it was dumped from."""
    for step in path:
        mapping, chosen = mapping.get(step), getattr(chosen, step)
    return mapping, chosen


def _full(kind: registry.Kind, choice: Choice | tuple[Choice, ...]) -> Any:
    if isinstance(choice, tuple):
        return [_full(kind, step) for step in choice]
    return {"kind": choice.kind, **options(kind, choice).model_dump(mode="json")}
