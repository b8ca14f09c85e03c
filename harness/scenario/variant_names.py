"""Names of the scenarios that `matrix` makes: readable, unique, and no varied value lost."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from harness.scenario.matrix import Combination, Variant, identity
from harness.scenario.source import Key, Node, key_of

MAX_NAME = 100


def named(variants: Sequence[Variant]) -> list[Node]:
    """The variants' trees; where `matrix` made several, each `name` gets the varied keys and values as a suffix.

    A suffix that would be cut or is shared by two variants ends in a hash of all varied values.
    """
    names = [_full_name(variant) for variant in variants]
    trees = []
    for variant, name in zip(variants, names, strict=True):
        own = variant.root.child("name")
        if name and own is not None and isinstance(variant.root.value, dict):
            if len(name) > MAX_NAME or names.count(name) > 1:
                digest = hashlib.sha256(identity(_values(variant)).encode()).hexdigest()[:8]
                name = f"{name[: MAX_NAME - 9]}-{digest}"
            trees.append(replace(variant.root, value={**variant.root.value, "name": replace(own, value=name)}))
        else:
            trees.append(variant.root)
    return trees


def _values(variant: Variant) -> Combination:
    found = {name: variant.root.at(key_of(name)) for name in variant.varied}
    return {name: node for name, node in found.items() if node is not None}


def _full_name(variant: Variant) -> str:
    own = variant.root.child("name")
    if own is None or not isinstance(own.value, str) or not variant.varied:
        return ""
    keys = [key_of(name) for name in variant.varied]
    values = _values(variant)
    parts = [
        f"{_label(key, keys)}-{_slug(values[name].plain())}"
        for name, key in zip(variant.varied, keys, strict=True)
        if name in values
    ]
    return "--".join([own.value, *parts])


def _label(key: Key, keys: Sequence[Key]) -> str:
    """The shortest end of a dotted key that no other varied key has; `engine.kind` is just `engine`."""

    def shown(key: Key) -> Key:
        return key[:-1] if key[-1] == "kind" and len(key) > 1 else key

    own, others = shown(key), [shown(other) for other in keys if other != key]
    for start in range(len(own) - 1, 0, -1):
        tail = own[start:]
        if isinstance(tail[0], str) and not any(other[-len(tail) :] == tail for other in others):
            return _slug(".".join(map(str, tail)))
    return _slug(".".join(map(str, own)))


def _slug(value: Any) -> str:
    """A value in the characters that a name may have: `{kind: tl2cgen, quantize: true}` -> tl2cgen-quantize-true."""
    if isinstance(value, dict):
        parts = [_slug(v) if k == "kind" else f"{_slug(k)}-{_slug(v)}" for k, v in value.items()]
        return "-".join(parts) or "none"
    if isinstance(value, list):
        return "_".join(map(_slug, value)) or "none"
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return re.sub(r"[^A-Za-z0-9._-]+", "-", str(value)).strip("-")
