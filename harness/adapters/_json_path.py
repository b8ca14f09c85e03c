"""A small subset of JSONPath: `hits.hits[*]._id`, `root.children[0].fields`, `scores`, `[*].score`.

A key follows a dot (or begins the path) and holds no dot or bracket; `[3]` takes one entry of a list, and `[*]` every
entry, so that a path gives all values it leads to, in their order. A path whose end is one list gives that list's
entries.
"""

from __future__ import annotations

import re
from typing import Any

from harness.errors import AnswerError

_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d+|\*)\]")

Step = str | int | None
"""A key, a place in a list, or None for every entry."""


def steps_of(path: str) -> tuple[Step, ...]:
    """The steps of a path; ValueError where it is not one."""
    steps: list[Step] = []
    end = 0
    while end < len(path):
        match = _STEP.match(path, end)
        if match is None or (end == 0 and path.startswith(".")):
            raise ValueError(f"not a path such as hits.hits[*]._id, at {path[end:]!r}")
        key, place = match.groups()
        steps.append(key if key is not None else None if place == "*" else int(place))
        end = match.end()
    if not steps:
        raise ValueError("an empty path leads nowhere")
    return tuple(steps)


def values_at(document: Any, path: str) -> list[Any]:
    """Every value that a path leads to; AnswerError where it ends early."""
    found = [document]
    steps = steps_of(path)
    for step in steps:
        found = [value for holder in found for value in _below(holder, step, path)]
    return found[0] if None not in steps and isinstance(found[0], list) else found


def _below(holder: Any, step: Step, path: str) -> list[Any]:
    if isinstance(step, str):
        if isinstance(holder, dict) and step in holder:
            return [holder[step]]
        raise AnswerError(f"no key {step!r} on the path {path}")
    if not isinstance(holder, list):
        raise AnswerError(f"no list where the path {path} has {'[*]' if step is None else f'[{step}]'}")
    if step is None:
        return holder
    if step >= len(holder):
        raise AnswerError(f"a list of {len(holder)} entries where the path {path} has [{step}]")
    return [holder[step]]
