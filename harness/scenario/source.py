"""YAML text to plain values that remember where they stand, so that every later problem can name its place."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from harness.errors import Problem

Key = tuple[str | int, ...]
Scalar = str | int | float | bool | None
MAX_VALUES = 20_000
"""More values than this in one file, aliases written out, is no scenario."""

_TAG = "tag:yaml.org,2002:"
_MAP, _LIST, _MERGE = f"{_TAG}map", f"{_TAG}seq", f"{_TAG}merge"
_SCALARS = {f"{_TAG}{name}" for name in ("str", "timestamp", "value", "merge", "null", "bool", "int", "float")}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a key is written: file as the user named it, 1-based line and column (0: the file as a whole)."""

    file: str
    line: int = 0
    column: int = 0

    def problem(self, message: str, key: Key = ()) -> Problem:
        """A problem at this place."""
        return Problem(self.file, self.line, self.column, dotted(key), message)


@dataclass(frozen=True, slots=True)
class Node:
    """A YAML value and the place of its key (of the value itself in a list)."""

    value: dict[str, Node] | list[Node] | Scalar
    place: Place

    def plain(self) -> Any:
        """The value alone: dict, list or scalar."""
        if isinstance(self.value, dict):
            return {key: child.plain() for key, child in self.value.items()}
        if isinstance(self.value, list):
            return [child.plain() for child in self.value]
        return self.value

    def child(self, step: str | int) -> Node | None:
        """The value under a key or list index; None where there is none."""
        if isinstance(self.value, dict):
            return self.value.get(str(step))
        if isinstance(self.value, list) and isinstance(step, int) and 0 <= step < len(self.value):
            return self.value[step]
        return None

    def walk(self, key: Key) -> Iterator[Node]:
        """Itself, then the values down `key` as far as they exist."""
        yield self
        found = self.child(key[0]) if key else None
        if found is not None:
            yield from found.walk(key[1:])

    def at(self, key: Key) -> Node | None:
        """The value at `key`, or None."""
        found = list(self.walk(key))
        return found[-1] if len(found) > len(key) else None


def dotted(key: Key) -> str:
    """`("compress", 0, "keep")` -> `compress.0.keep`."""
    return ".".join(str(step) for step in key)


def key_of(text: str) -> Key:
    """`compress.0.keep` -> `("compress", 0, "keep")`."""
    return tuple(int(step) if step.isdecimal() and step.isascii() else step for step in text.split("."))


def read(path: Path, problems: list[Problem]) -> Node | None:
    """The values of a YAML file; None (with the reason in `problems`) where it can't be read at all."""
    place = Place(str(path))
    try:
        raw = path.read_bytes()
        text = raw.decode("utf-8-sig")
    except OSError as error:
        problems.append(place.problem(f"can't be read: {error.strerror}"))
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        problems.append(Place(str(path), line, 1).problem(f"is not UTF-8 text (byte 0x{raw[error.start]:02x})"))
    else:
        return parse(text, str(path), problems)
    return None


def parse(text: str, file: str, problems: list[Problem]) -> Node | None:
    """The values of YAML text; `file` names it in problems. None where it is no YAML or empty."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an anchor defined twice: the nearest counts, as YAML says
            root = _yaml().compose(text)
        if root is None:
            problems.append(Place(file).problem("is empty"))
            return None
        return _Reader(file, problems).node(root)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)
        reason = ", ".join(part for part in (error.context, error.problem) if part)
        if "${" in "".join(text.splitlines()[place.line - 1 : place.line]):
            reason += ' (inside {} or [], quote what has a variable: "${name}")'
        problems.append(place.problem(f"is not YAML: {reason}"))
    except ReaderError as error:
        before = text[: error.position]
        place = Place(file, before.count("\n") + 1, error.position - before.rfind("\n"))
        problems.append(place.problem(f"is not YAML: {error.reason}"))
    except YAMLError as error:
        problems.append(Place(file).problem(f"is not YAML: {error}"))
    except RecursionError:
        problems.append(Place(file).problem("is nested too deeply"))
    return None


def scalar(text: str) -> Scalar:
    """What YAML makes of an unquoted scalar: a number, a truth value, null, or the text itself."""
    return _scalar(str(_yaml().resolver.resolve(ScalarNode, text, (True, False))), text)


def _yaml() -> YAML:
    return YAML(typ="safe", pure=True)


@cache
def _constructor() -> Any:
    return _yaml().constructor


def _scalar(tag: str, text: str) -> Scalar:
    try:
        match tag.removeprefix(_TAG):
            case "null":
                return None
            case "bool":
                return bool(_constructor().construct_yaml_bool(ScalarNode(tag, text)))
            case "int":
                return int(_constructor().construct_yaml_int(ScalarNode(tag, text)))
            case "float":
                return float(_constructor().construct_yaml_float(ScalarNode(tag, text)))
    except (ValueError, KeyError, IndexError):
        return text  # looks like a number (`+_`) or has more digits than one can have
    return text


class _Reader:
    """Turns one file's node graph into `Node`s."""

    def __init__(self, file: str, problems: list[Problem]) -> None:
        self.file, self.problems = file, problems
        self.open: set[int] = set()
        self.n_values = 0

    def place(self, node: Any) -> Place:
        return Place(self.file, node.start_mark.line + 1, node.start_mark.column + 1)

    def node(self, node: Any, place: Place | None = None) -> Node:
        place = place or self.place(node)
        self.n_values += 1
        if self.n_values == MAX_VALUES:
            self.problems.append(place.problem(f"more than {MAX_VALUES} values: no scenario is that long"))
        if id(node) in self.open:
            self.problems.append(place.problem("an alias that contains itself"))
        if id(node) in self.open or self.n_values > MAX_VALUES:
            return Node(None, place)
        tag = str(node.tag)
        self.open.add(id(node))
        try:
            if isinstance(node, MappingNode) and tag == _MAP:
                return Node(self.mapping(node), place)
            if isinstance(node, SequenceNode) and tag == _LIST:
                return Node([self.node(item) for item in node.value], place)
            if isinstance(node, ScalarNode) and tag in _SCALARS:
                return Node(_scalar(tag, node.value), place)
            self.problems.append(place.problem(f"the tag {tag.removeprefix(_TAG)!r} is not allowed here"))
            return Node(None, place)
        finally:
            self.open.remove(id(node))

    def mapping(self, node: Any) -> dict[str, Node]:
        values: dict[str, Node] = {}
        for key_node, value_node in node.value:
            place = self.place(key_node)
            if not isinstance(key_node, ScalarNode):
                self.problems.append(place.problem("a key must be plain text"))
            elif key_node.tag == _MERGE:
                self.problems.append(place.problem("merge keys (<<) are not supported; use `extends` or `vars`"))
            elif key_node.value in values:
                first = values[key_node.value].place.line
                self.problems.append(place.problem(f"duplicate key {key_node.value!r}, first in line {first}"))
            else:
                values[key_node.value] = self.node(value_node, place)
        return values
