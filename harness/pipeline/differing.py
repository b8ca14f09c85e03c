"""Where two nested records differ, key by dotted key."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.records import Record

_SHOWN = 5
_SAME = 1e-9
"""Relative difference of two numbers, not both whole, that another machine's arithmetic explains."""


def records_differ(said: Record, now: Record, source: str, but: Sequence[str] = ()) -> Iterator[str]:
    """A line for each of the first keys that differ, of those that do not begin with one of `but`."""
    before, after = (json.loads(record.model_dump_json()) for record in (said, now))
    return facts_differ(before, after, source, but)


def facts_differ(said: Any, now: Any, source: str, but: Sequence[str] = ()) -> Iterator[str]:
    """The same of nested values. `source` introduces what `now` says."""
    before, after = _flat(said), _flat(now)
    keys = [key for key in dict.fromkeys((*before, *after)) if not key.startswith(tuple(but))]
    keys = [key for key in keys if key not in before or key not in after or not _alike(before[key], after[key])]
    for key in keys[:_SHOWN]:
        yield f"{key} is {_shown(before, key)}, {source} {_shown(after, key)}"
    if len(keys) > _SHOWN:
        yield f"{len(keys) - _SHOWN} more keys differ"


def _alike(a: Any, b: Any) -> bool:
    if isinstance(a, float) or isinstance(b, float):
        return isinstance(a, int | float) and isinstance(b, int | float) and math.isclose(a, b, rel_tol=_SAME)
    return bool(a == b)


def _shown(facts: Mapping[str, Any], key: str) -> str:
    return repr(facts[key]) if key in facts else "absent"


def _flat(value: Any, prefix: str = "") -> dict[str, Any]:
    """Nested values as dotted keys; an empty list or mapping stays one."""
    if not isinstance(value, Mapping | list | tuple) or not value:
        return {prefix.removesuffix("."): value}
    items = value.items() if isinstance(value, Mapping) else enumerate(value)
    return {key: leaf for name, item in items for key, leaf in _flat(item, f"{prefix}{name}.").items()}
