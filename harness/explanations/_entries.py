"""Explanations as they are written: a Markdown file of `## name` and paragraphs for each kind of thing."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

_HEADING = re.compile(r"^## (\S+)$", re.MULTILINE)


@cache
def entries(kind: str) -> dict[str, str]:
    """Name -> text of a kind, in the order of its file; paragraphs are unwrapped and parted by an empty line."""
    _, *parts = _HEADING.split(Path(__file__).with_name(f"{kind}.md").read_text(encoding="utf-8"))
    return {name: unwrapped(text) for name, text in zip(parts[::2], parts[1::2], strict=True)}


def unwrapped(text: str) -> str:
    """Each paragraph on one line; lines that are indented (examples) stay as they are."""
    paragraphs = re.split(r"\n\s*\n", text.strip())
    return "\n\n".join(p if p.startswith("    ") else " ".join(p.split()) for p in paragraphs)
