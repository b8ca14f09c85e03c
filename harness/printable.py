"""Text that can steer no terminal, hide no direction and break no page."""

from __future__ import annotations

import re

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


def printable(text: str) -> str:
    """The text with control characters, direction overrides and lone surrogates replaced."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)
