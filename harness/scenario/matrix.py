"""`matrix`: one scenario per combination of values for dotted keys."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

from harness.errors import Problem, did_you_mean
from harness.scenario.merge import assigned
from harness.scenario.source import Key, Node, key_of

MAX_COMBINATIONS = 1000
Combination = dict[str, Node]


@dataclass(frozen=True)
class Variant:
    """A scenario without its `matrix`, and the dotted keys in which it differs from its siblings."""

    root: Node
    varied: tuple[str, ...] = ()


def variants(root: Node, settings: Sequence[tuple[Key, Node]], problems: list[Problem]) -> list[Variant]:
    """The scenarios of a file: one, or one per combination. `settings` win: a dotted key they set is not varied.

    A `matrix` that can't be expanded is a problem, and leaves the one scenario without it to be checked.
    """
    matrix = root.child("matrix")
    if matrix is None or not isinstance(root.value, dict):
        return [Variant(root)]
    rest = replace(root, value={key: child for key, child in root.value.items() if key != "matrix"})
    fixed = [key for key, _ in settings]
    distinct: dict[str, Variant] = {}
    for combination in _combinations(matrix, problems):
        kept = {name: node for name, node in combination.items() if not any(_covers(f, key_of(name)) for f in fixed)}
        tree = rest
        for name, node in kept.items():
            tree = assigned(tree, key_of(name), node, problems)
        distinct.setdefault(identity(kept), Variant(tree, tuple(kept)))
    return list(distinct.values()) or [Variant(rest)]


def _combinations(matrix: Node, problems: list[Problem]) -> list[Combination]:
    if matrix.value is None:
        return [{}]
    if not isinstance(matrix.value, dict):
        problems.append(matrix.place.problem("must be a mapping of dotted keys to lists of values", ("matrix",)))
        return []
    axes = {name: _list(node, name, problems) for name, node in matrix.value.items()}
    include, exclude = axes.pop("include", []), axes.pop("exclude", [])
    if math.prod(len(axis) for axis in axes.values()) > MAX_COMBINATIONS:
        problems.append(matrix.place.problem(f"more than {MAX_COMBINATIONS} combinations", ("matrix",)))
        return []
    grid = [dict(zip(axes, values, strict=True)) for values in product(*axes.values())] if axes else []
    for entry in exclude:
        grid = _without(grid, entry, list(axes), problems)
    grid += [_mapping(entry, "include", problems) for entry in include]
    if len({identity(combination) for combination in grid}) < len(grid):
        problems.append(matrix.place.problem("gives the same combination twice", ("matrix",)))
    if not grid:
        problems.append(matrix.place.problem("leaves no combination", ("matrix",)))
    return grid


def _without(grid: list[Combination], entry: Node, axes: list[str], problems: list[Problem]) -> list[Combination]:
    wanted = _mapping(entry, "exclude", problems)
    for name in wanted:
        if name not in axes:
            message = f"{name!r} is not varied{did_you_mean(name, axes)}"
            problems.append(wanted[name].place.problem(message, ("matrix", "exclude")))
            return grid
    kept = [c for c in grid if any(identity({n: c[n]}) != identity({n: wanted[n]}) for n in wanted)]
    if wanted and len(kept) == len(grid):
        problems.append(entry.place.problem("excludes no combination", ("matrix", "exclude")))
    return kept if wanted else grid


def _list(node: Node, name: str, problems: list[Problem]) -> list[Node]:
    if isinstance(node.value, list) and node.value:
        return node.value
    problems.append(node.place.problem("must be a list of at least one value", ("matrix", name)))
    return []


def _mapping(node: Node, name: str, problems: list[Problem]) -> Combination:
    if isinstance(node.value, dict) and node.value:
        return node.value
    problems.append(node.place.problem("must be a mapping of dotted keys to single values", ("matrix", name)))
    return {}


def _covers(fixed: Key, key: Key) -> bool:
    return key[: len(fixed)] == fixed


def identity(values: Combination) -> str:
    """Text that two combinations share exactly when their values are equal."""
    return json.dumps({name: node.plain() for name, node in values.items()}, sort_keys=True)
