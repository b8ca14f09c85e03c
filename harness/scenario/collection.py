"""From the paths a user names to scenario files: a file, a folder of them, or a suite that lists them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import Problem, did_you_mean
from harness.scenario.files import beside, is_file, is_folder, is_pattern, near_files, scenario_files
from harness.scenario.schema import NAME_PATTERN
from harness.scenario.source import Node, Place, read

_SUITE_KEYS = ("suite", "description", "scenarios")


@dataclass(frozen=True)
class ScenarioFile:
    """A scenario file as read, and the suite that named it (empty where the user named the file itself)."""

    file: Path
    suite: str
    root: Node


def collected(paths: Sequence[Path], problems: list[Problem]) -> list[ScenarioFile]:
    """The scenario files of all paths, in order, each once.

    A folder stands for the YAML files in it, not in folders below, without those whose names begin with `_` (which are
    there to be extended); its scenarios come first, then what its suites add.
    """
    found: dict[Path, ScenarioFile] = {}
    for path in paths:
        for entry in _below(path, problems):
            found.setdefault(entry.file.resolve(), entry)
    return list(found.values())


def _below(path: Path, problems: list[Problem]) -> Iterator[ScenarioFile]:
    if is_folder(path):
        files = scenario_files(path, "*")
        if not files:
            problems.append(Place(str(path)).problem("no .yaml file in this folder"))
        roots = [(file, root) for file in files if (root := read(file, problems)) is not None]
        yield from (ScenarioFile(file, path.resolve().name, root) for file, root in roots if not _is_suite(root))
        for file, root in roots:
            if _is_suite(root):
                yield from _suite(file, root, problems)
    elif not is_file(path):
        problems.append(Place(str(path)).problem(f"no such file or folder{near_files(path)}"))
    elif (root := read(path, problems)) is not None:
        yield from _suite(path, root, problems) if _is_suite(root) else [ScenarioFile(path, "", root)]


def _suite(file: Path, root: Node, problems: list[Problem]) -> Iterator[ScenarioFile]:
    keys = root.value if isinstance(root.value, dict) else {}
    for name, node in keys.items():
        if name not in _SUITE_KEYS:
            problems.append(node.place.problem(f"unknown key of a suite{did_you_mean(name, _SUITE_KEYS)}", (name,)))
    suite = keys["suite"].value
    if not isinstance(suite, str) or not re.fullmatch(NAME_PATTERN, suite):
        problems.append(keys["suite"].place.problem("must be a name of letters, digits, '.', '_' and '-'", ("suite",)))
    listed = keys.get("scenarios", Node(None, root.place))
    if not isinstance(listed.value, list) or not listed.value:
        problems.append(listed.place.problem("must be a list of scenario files or globs", ("scenarios",)))
        return
    for i, node in enumerate(listed.value):
        for member in _members(file, node, i, problems):
            below = read(member, problems)
            if below is not None and not _is_suite(below):
                yield ScenarioFile(member, str(suite), below)
            elif below is not None and not is_pattern(str(node.value)):
                problems.append(node.place.problem("is itself a suite; list scenario files", ("scenarios", i)))


def _members(suite: Path, node: Node, i: int, problems: list[Problem]) -> list[Path]:
    """The files that one entry of a suite names, relative to the suite's own place."""
    pattern, key = node.value, ("scenarios", i)
    if not isinstance(pattern, str) or not pattern or Path(pattern).is_absolute():
        problems.append(node.place.problem("must be a path or glob relative to the suite", key))
        return []
    if is_pattern(pattern):
        matched = scenario_files(suite.parent, pattern)
        if not matched:
            problems.append(node.place.problem(f"no scenario file matches {pattern!r}", key))
        return matched
    path = beside(suite, pattern)
    if is_file(path):
        return [path]
    problems.append(node.place.problem(f"no such file: {path}{near_files(path)}", key))
    return []


def _is_suite(root: Node) -> bool:
    return isinstance(root.value, dict) and "suite" in root.value
