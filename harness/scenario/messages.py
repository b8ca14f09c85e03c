"""What is wrong with a value, in plain words instead of pydantic's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from harness.scenario.schema import NAME_PATTERN

_WHOLE = "must be a whole number, written without a point or exponent"
_MAPPING = "must be a mapping of keys to values"
_WORDS = {
    "bool_type": "must be true or false",
    "dict_type": _MAPPING,
    "finite_number": "must be a finite number",
    "float_type": "must be a number",
    "greater_than": "must be above {gt}",
    "greater_than_equal": "must be at least {ge}",
    "int_from_float": _WHOLE,
    "int_type": _WHOLE,
    "json_invalid": "holds text that is not UTF-8, or is nested too deeply",
    "less_than": "must be below {lt}",
    "less_than_equal": "must be at most {le}",
    "list_type": "must be a list",
    "literal_error": "must be {expected}",
    "model_attributes_type": _MAPPING,
    "model_type": _MAPPING,
    "path_type": "must be text",
    "string_pattern_mismatch": "must match {pattern}",
    "string_too_long": "must have at most {max_length} characters",
    "string_too_short": "must have at least {min_length} characters",
    "string_type": "must be text",
    "too_long": "must have at most {max_length} items",
    "too_short": "must have at least {min_length} items",
    "tuple_type": "must be a list",
}
_NAME = "must be up to 100 letters, digits, '.', '_' and '-', beginning with a letter or digit"


def explained(error: Mapping[str, Any]) -> str:
    """One entry of `ValidationError.errors()` as `must be at most 1 (got 1.5)`."""
    kind, context = error["type"], error.get("ctx", {})
    if kind == "missing":
        return "is missing"
    if kind in ("value_error", "assertion_error"):
        return str(context["error"])
    if context.get("pattern") == NAME_PATTERN:
        return f"{_NAME} (got {shown(error['input'])})"
    limits = {name: f"{value:g}" if isinstance(value, float) else value for name, value in context.items()}
    words = _WORDS[kind].format(**limits) if kind in _WORDS else _in_our_voice(error["msg"])
    return f"{words} (got {shown(error['input'])}{_near(error)})"


def shown(value: Any) -> str:
    """A value as YAML would have it, cut where it is long."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    text = repr(value) if isinstance(value, str) else json.dumps(value)
    text = {"Infinity": ".inf", "-Infinity": "-.inf", "NaN": ".nan"}.get(text, text)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _near(error: Mapping[str, Any]) -> str:
    if error["type"] != "literal_error" or not isinstance(error["input"], str):
        return ""
    allowed = [word.strip("'") for word in error["ctx"]["expected"].replace(" or ", ", ").split(", ")]
    near = get_close_matches(error["input"], allowed, n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else ""


def _in_our_voice(message: str) -> str:
    message = message.replace("Input should be", "must be").replace("Value error, ", "")
    return message[:1].lower() + message[1:]
