"""JSON Schema (2020-12) of a scenario file, so that an editor can complete and check it while it is written.

Looser than `load` where it has to be: `${...}` stands for any value, and what a file `extends` is not looked at.
"""

from __future__ import annotations

from typing import Any

from harness import registry
from harness.scenario.check import KINDS
from harness.scenario.merge import SECTIONS
from harness.scenario.schema import PERCENTILE, Scenario
from harness.scenario.target import ExternalTarget

_Schema = dict[str, Any]
_BLOCKS: dict[str | int, str] = {"target": ExternalTarget.__name__}
"""Blocks that hold a plug-in section, by their definition's name."""
_VARIABLE = {"$ref": "#/$defs/variable"}
_FILE_KEYS: dict[str, _Schema] = {
    "extends": {"type": "string", "description": "scenario file, relative to this one, that this one is merged over"},
    "vars": {"type": "object", "description": "values for ${name} in any text; the environment fills in the others"},
    "matrix": {
        "type": ["object", "null"],
        "description": "dotted key -> list of values: one scenario per combination",
        "properties": {
            "include": {"type": "array", "items": {"type": "object"}, "description": "combinations to add"},
            "exclude": {"type": "array", "items": {"type": "object"}, "description": "what the left-out ones match"},
        },
        "additionalProperties": {"type": "array", "minItems": 1},
    },
}


def json_schema() -> _Schema:
    """The schema of a scenario file with every plug-in's options."""
    root = Scenario.model_json_schema()
    definitions: _Schema = root.pop("$defs")
    definitions.pop("Choice")
    for key, kind in KINDS.items():
        choice = _choice(kind, definitions, inherits=key in SECTIONS)
        shape = {"type": ["array", "null"], "items": choice} if key == ("compress",) else choice
        holder = root if len(key) == 1 else definitions[_BLOCKS[key[0]]]
        holder["properties"][key[-1]] = {"description": f"{kind}: see `harness list {kind}`", **shape}
    sla = definitions["Sla"]
    sla["patternProperties"] = {f"^{PERCENTILE.pattern}$": sla["additionalProperties"]}
    sla["additionalProperties"] = False
    root["properties"] |= _FILE_KEYS
    for schema in (root, *definitions.values()):
        _allow_variables(schema)
    definitions["variable"] = {"type": "string", "pattern": r"\$\{", "description": "${name} or ${NAME:-default}"}
    kind_required = {"if": {"type": "object"}, "then": {"required": ["kind"]}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **root,
        "title": "Scenario of the ranking latency harness",
        "required": [],
        "if": {"anyOf": [{"required": ["extends"]}, {"required": ["matrix"]}]},
        "else": {
            "required": ["name", "sla"],
            "properties": {key[0]: kind_required for key in SECTIONS if len(key) == 1},
        },
        "$defs": definitions,
    }


def _choice(kind: registry.Kind, definitions: _Schema, *, inherits: bool) -> _Schema:
    """A plug-in section: its name alone, or a mapping that has exactly the keys of the named plug-in."""
    branches: list[_Schema] = [{"enum": registry.names(kind)}, _VARIABLE]
    for name in registry.names(kind):
        label = f"{kind}.{name}"
        options = registry.options_model(kind, name).model_json_schema(ref_template=f"#/$defs/{label}.{{model}}")
        definitions |= {f"{label}.{below}": schema for below, schema in options.pop("$defs", {}).items()}
        definitions[label] = {
            **options,
            "title": label,
            "description": registry.summary(kind, name),
            "properties": {"kind": {"const": name}, **options.get("properties", {})},
            "required": ["kind", *options.get("required", [])],
        }
        branches.append({"$ref": f"#/$defs/{label}"})
    branches.append({"type": "object", "properties": {"kind": _VARIABLE}, "required": ["kind"]})
    if inherits:
        branches.append({"type": "object", "not": {"required": ["kind"]}})
    return {"oneOf": branches}


def _allow_variables(schema: _Schema) -> None:
    for group in ("properties", "patternProperties"):
        for name, below in schema.get(group, {}).items():
            if name != "kind":
                schema[group][name] = _or_variable(below)


def _or_variable(schema: _Schema) -> _Schema:
    """`schema`, or `${...}` in its place; free text takes that anyway, and a plug-in section says it itself."""
    free_text = schema.get("type") == "string" and not {"enum", "const", "pattern"} & schema.keys()
    if free_text or _VARIABLE in schema.get("oneOf", ()):
        return schema
    about: _Schema = {key: schema[key] for key in ("title", "description", "default") if key in schema}
    rest = {key: value for key, value in schema.items() if key not in about}
    if isinstance(rest.get("items"), dict):
        rest["items"] = _or_variable(rest["items"])
    return {**about, "anyOf": [*rest["anyOf"], _VARIABLE] if set(rest) == {"anyOf"} else [rest, _VARIABLE]}
