"""`${name}` and `${NAME:-default}` in any text of a scenario: its `vars`, else the environment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from harness.errors import Problem
from harness.scenario.source import Key, Node, Place, Scalar, scalar

_REFERENCE = re.compile(r"\$\$\{|\$\{([A-Za-z_]\w*)(?::-([^{}]*))?\}|\$\{", re.ASCII)


def interpolated(root: Node, environment: Mapping[str, str], problems: list[Problem]) -> Node:
    """`root` with every reference replaced.

    A text that is one reference takes the variable's value with its type, and what comes from the environment or a
    default is read as YAML reads a plain scalar. `$${` stands for a literal `${`.
    """
    return _Interpolation(root.child("vars"), environment, problems).node(root, ())


class _Interpolation:
    def __init__(self, variables: Node | None, environment: Mapping[str, str], problems: list[Problem]) -> None:
        self.variables = variables.value if variables is not None and isinstance(variables.value, dict) else {}
        self.environment, self.problems = environment, problems
        self.open: tuple[str, ...] = ()

    def node(self, node: Node, key: Key) -> Node:
        if isinstance(node.value, dict):
            return replace(node, value={name: self.node(child, (*key, name)) for name, child in node.value.items()})
        if isinstance(node.value, list):
            return replace(node, value=[self.node(child, (*key, i)) for i, child in enumerate(node.value)])
        if not isinstance(node.value, str) or "${" not in node.value:
            return node
        whole = _REFERENCE.fullmatch(node.value)
        if whole and whole[0] != "$${":
            return replace(node, value=self.value(whole, node.place, key))
        return replace(node, value=_REFERENCE.sub(lambda match: self.text(match, node.place, key), node.value))

    def text(self, match: re.Match[str], place: Place, key: Key) -> str:
        if match[0] == "$${":
            return "${"
        value = self.value(match, place, key, typed=False)
        if isinstance(value, dict | list):
            self.problems.append(
                place.problem(f"variable {match[1]!r} is not a single value, so not part of text", key)
            )
        return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)

    def value(
        self, match: re.Match[str], place: Place, key: Key, *, typed: bool = True
    ) -> dict[str, Node] | list[Node] | Scalar:
        name, default = match[1], match[2]
        if name is None:
            message = "an unfinished ${...}: write ${name} or ${NAME:-default}, and $${ for a literal ${"
            self.problems.append(place.problem(message, key))
        elif name in self.open:
            chain = " -> ".join((*self.open, name))
            self.problems.append(place.problem(f"variable refers to itself: {chain}", key))
        elif name in self.variables:
            return self.variable(name, place, key)
        elif (text := self.environment.get(name) or default) is not None:
            return scalar(text) if typed else text
        else:
            message = f"variable {name!r} is not set: `export {name}=...`, or give it under `vars`"
            self.problems.append(place.problem(message, key))
        return None

    def variable(self, name: str, place: Place, key: Key) -> dict[str, Node] | list[Node] | Scalar:
        before = len(self.problems)
        self.open = (*self.open, name)
        found = self.node(self.variables[name], ("vars", name)).value
        self.open = self.open[:-1]
        if len(self.problems) > before:
            self.problems.append(place.problem(f"variable {name!r} has no value, see there", key))
        return found
