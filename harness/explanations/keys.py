"""The keys of a plug-in as a scenario's author needs them: what may stand there, what stands there by itself, why."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

_TYPES = {
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "string": "text",
    "object": "mapping",
    "null": "null",
}
_BOUNDS = {"minimum": "from {}", "exclusiveMinimum": "above {}", "maximum": "to {}", "exclusiveMaximum": "under {}"}


@dataclass(frozen=True)
class Key:
    """One key: the values it takes, its default as YAML has it (empty: it must be given), and what it does."""

    name: str
    takes: str
    default: str
    does: str


def keys_of(options: type[BaseModel]) -> tuple[Key, ...]:
    """The keys of an `Options` model, in the order of their declaration."""
    schema = options.model_json_schema()
    return tuple(
        Key(
            name=name,
            takes=_takes(about, schema.get("$defs", {})),
            default="" if name in schema.get("required", ()) else _yaml(about.get("default")),
            does=about.get("description", ""),
        )
        for name, about in schema.get("properties", {}).items()
    )


def _yaml(value: Any) -> str:
    """A default as a scenario would say it; text is quoted where YAML would take it for something else."""
    plain = isinstance(value, str) and value not in ("null", "true", "false", "")
    return value if plain else json.dumps(value)


def _takes(about: dict[str, Any], definitions: dict[str, Any]) -> str:
    """Values a schema allows, in words: `whole number from 1 to 64`, `auto or binary`."""
    if "$ref" in about:
        keys = definitions[about["$ref"].rpartition("/")[2]].get("properties", {})
        return f"mapping of {', '.join(keys)}" if keys else "mapping"
    if branches := about.get("anyOf"):
        return _either([_takes(branch, definitions) for branch in branches])
    if choices := about.get("enum"):
        return _either([choice if isinstance(choice, str) else json.dumps(choice) for choice in choices])
    if "const" in about:
        return str(about["const"])
    if about.get("type") == "array":
        return f"list of {_takes(about.get('items', {}), definitions)}"
    bounds = (words.format(f"{about[bound]:,}") for bound, words in _BOUNDS.items() if bound in about)
    return " ".join((_TYPES.get(about.get("type", ""), "any value"), *bounds))


def _either(choices: list[str]) -> str:
    *rest, last = dict.fromkeys(choices)
    return f"{', '.join(rest)} or {last}" if rest else last
