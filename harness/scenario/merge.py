"""`extends`: a scenario on top of another; and setting one dotted key, which `matrix` and `--set` do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from harness.errors import Problem
from harness.scenario.block import Choice
from harness.scenario.files import beside, is_file, near_files
from harness.scenario.schema import Scenario
from harness.scenario.source import Key, Node, dotted, read
from harness.scenario.target import ExternalTarget

SECTIONS: tuple[Key, ...] = (("data",), ("ranker",), ("engine",), ("target", "adapter"))
"""Keys that name one plug-in; `compress` is a list of such."""


def with_bases(root: Node, file: Path, problems: list[Problem], seen: tuple[Path, ...] = ()) -> Node | None:
    """`root` merged over the files it `extends`, that key removed; None where one of them can't be read."""
    if not isinstance(root.value, dict) or "extends" not in root.value:
        return root
    own = Node({key: child for key, child in root.value.items() if key != "extends"}, root.place)
    target, place = root.value["extends"].value, root.value["extends"].place
    seen = (*seen, file.resolve())
    if not isinstance(target, str) or not target:
        problems.append(place.problem("must be the path of another scenario file", ("extends",)))
        return None
    base_file = beside(file, target)
    if not is_file(base_file):
        problems.append(place.problem(f"no such file: {base_file}{near_files(base_file)}", ("extends",)))
        return None
    if base_file.resolve() in seen:
        chain = " -> ".join(path.name for path in (*seen, base_file))
        problems.append(place.problem(f"extends itself: {chain}", ("extends",)))
        return None
    base = read(base_file, problems)
    if base is not None and not isinstance(base.value, dict):
        problems.append(base.place.problem("must be a mapping of keys to values"))
        return None
    base = with_bases(base, base_file, problems, seen) if base is not None else None
    return None if base is None else merged(base, own)


def merged(base: Node, own: Node, key: Key = ()) -> Node:
    """Mappings merge key by key; anything else, and a plug-in section of another `kind`, replaces the base's value."""
    base = _written_out(base, key)
    if not isinstance(base.value, dict) or not isinstance(own.value, dict):
        return own
    kinds = [part["kind"].value for part in (base.value, own.value) if "kind" in part]
    if is_choice(key) and len(kinds) == 2 and kinds[0] != kinds[1]:
        return own
    values = dict(base.value)
    for name, child in own.value.items():
        values[name] = merged(values[name], child, (*key, name)) if name in values else child
    return Node(values, own.place)


def assigned(root: Node, key: Key, value: Node, problems: list[Problem], done: Key = ()) -> Node:
    """`root` with the value at dotted `key` replaced or added; a problem at the value's place where that can't be."""
    if not key:
        return value
    root = _written_out(root, done)
    step, whole = key[0], (*done, *key)
    if isinstance(root.value, list):
        index = int(step) if str(step).isdecimal() else -1
        if not 0 <= index < len(root.value):
            message = f"{dotted(done)} has {len(root.value)} items, numbered from 0; there is no {step!r}"
            problems.append(value.place.problem(message, whole))
            return root
        items = list(root.value)
        items[index] = assigned(items[index], key[1:], value, problems, (*done, index))
        return replace(root, value=items)
    if not isinstance(root.value, dict) and root.value is not None:
        problems.append(value.place.problem(f"{dotted(done)} is {root.value!r}, which has no keys", whole))
        return root
    values = dict(root.value or {})
    name = str(step)
    below = values.get(name, Node(_default(done, name), value.place))
    values[name] = assigned(below, key[1:], value, problems, (*done, name))
    return replace(root, value=values)


def is_choice(key: Key) -> bool:
    """Whether a plug-in is named at `key`."""
    return key in SECTIONS or (len(key) == 2 and key[0] == "compress")


def _written_out(node: Node, key: Key) -> Node:
    """The shorthand `engine: native` as `engine: {kind: native}`."""
    if is_choice(key) and isinstance(node.value, str):
        return replace(node, value={"kind": node})
    return node


def _default(done: Key, name: str) -> str | None:
    """What an absent section stands for: the plug-in that is used without it."""
    block = ExternalTarget if done == ("target",) else Scenario
    default = block.model_fields[name].default if (*done, name) in SECTIONS else None
    return default.kind if isinstance(default, Choice) else None
