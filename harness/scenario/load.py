"""Scenario files to checked scenarios: read, extend, expand, override, interpolate, validate; all problems at once."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.errors import Problem, ScenarioError, UsageError
from harness.scenario.check import checked
from harness.scenario.collection import ScenarioFile, collected
from harness.scenario.matrix import Variant, variants
from harness.scenario.merge import assigned, with_bases
from harness.scenario.schema import Scenario
from harness.scenario.source import Key, Node, Place, key_of, parse
from harness.scenario.variables import interpolated
from harness.scenario.variant_names import named

Setting = tuple[Key, Node]


@dataclass(frozen=True)
class LoadedScenario:
    """A scenario, the file it stands in, and the suite or folder that named the file (empty where none did)."""

    scenario: Scenario
    file: Path
    suite: str


def load(paths: Sequence[Path], overrides: Sequence[str] = ()) -> list[LoadedScenario]:
    """All scenarios of files, folders and suites, `matrix` expanded, with `a.b=c` overrides set in each.

    Raises ScenarioError with every problem of every file.
    """
    problems: list[Problem] = []
    settings = [setting for text in overrides if (setting := _setting(text, problems)) is not None]
    loaded: list[LoadedScenario] = []
    for entry in collected([Path(path) for path in paths], problems):
        try:
            loaded += _scenarios(entry, settings, problems)
        except RecursionError:
            problems.append(Place(str(entry.file)).problem("is nested too deeply"))
    _refuse_shared_names(loaded, problems)
    if problems or not loaded:
        raise ScenarioError(_in_order(problems) or [Place("").problem("no scenario file given")])
    return loaded


def load_one(path: Path, overrides: Sequence[str] = ()) -> Scenario:
    """The one scenario of a file; UsageError where the path holds several."""
    loaded = load([path], overrides)
    if len(loaded) != 1:
        raise UsageError(
            f"holds {len(loaded)} scenarios; one is needed", where=str(path), remedy="name a file without a matrix"
        )
    return loaded[0].scenario


def _scenarios(entry: ScenarioFile, settings: Sequence[Setting], problems: list[Problem]) -> list[LoadedScenario]:
    misread = len(problems)
    root = with_bases(entry.root, entry.file, problems)
    if root is None:
        return []
    trees = [_filled(variant, settings, problems) for variant in variants(root, settings, problems)]
    blamed = {(p.file, p.line, p.column) for p in problems if p.line}
    faults: list[Problem] = []
    scenarios = [checked(_without_vars(tree), str(entry.file), faults) for tree in named(trees)]
    problems += [fault for fault in faults if (fault.file, fault.line, fault.column) not in blamed]
    if len(problems) > misread:
        return []
    return [LoadedScenario(scenario, entry.file, entry.suite) for scenario in scenarios if scenario is not None]


def _filled(variant: Variant, settings: Sequence[Setting], problems: list[Problem]) -> Variant:
    """A variant with overrides set and variables replaced, its `vars` kept for the names that are made of them."""
    tree = variant.root
    for key, value in settings:
        tree = assigned(tree, key, value, problems)
    variables = tree.child("vars")
    if variables is not None and not isinstance(variables.value, dict | None):
        problems.append(variables.place.problem("must be a mapping of names to values", ("vars",)))
    return replace(variant, root=interpolated(tree, os.environ, problems))


def _without_vars(tree: Node) -> Node:
    if not isinstance(tree.value, dict):
        return tree
    return replace(tree, value={name: child for name, child in tree.value.items() if name != "vars"})


def _setting(text: str, problems: list[Problem]) -> Setting | None:
    dotted, equals, value = text.partition("=")
    place = Place("--set")
    if not equals or not all(dotted.split(".")):
        problems.append(place.problem(f"{text!r} is not of the form a.b=value"))
    elif dotted.split(".")[0] in ("extends", "matrix"):
        problems.append(place.problem("can't be set from outside the file", key_of(dotted)))
    else:
        found = parse(value, f"--set {dotted}", problems) if value.strip() else Node(None, place)
        return None if found is None else (key_of(dotted), _at(place, found))
    return None


def _at(place: Place, node: Node) -> Node:
    if isinstance(node.value, dict):
        return Node({name: _at(place, child) for name, child in node.value.items()}, place)
    return Node([_at(place, child) for child in node.value] if isinstance(node.value, list) else node.value, place)


def _in_order(problems: Sequence[Problem]) -> list[Problem]:
    """Each once, file by file, from the top of each file down."""
    files = list(dict.fromkeys(problem.file for problem in problems))
    return sorted(dict.fromkeys(problems), key=lambda p: (files.index(p.file), p.line, p.column))


def _refuse_shared_names(loaded: Sequence[LoadedScenario], problems: list[Problem]) -> None:
    first: dict[str, Path] = {}
    for entry in loaded:
        other = first.setdefault(entry.scenario.name, entry.file)
        if other != entry.file:
            message = f"{entry.scenario.name!r} is also the name of a scenario in {other}"
            problems.append(Place(str(entry.file)).problem(message, ("name",)))
