"""One thing that was looked at."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Mark = Literal["ok", "warn", "bad"]


class Check(BaseModel):
    """What was looked at, how it is, what that would do to a latency figure, and how to change it.

    `bad`: a run would fail, or its figures could not be trusted. `warn`: they would be higher, or vary more.
    """

    model_config = ConfigDict(frozen=True)

    what: str
    value: str
    mark: Mark = "ok"
    effect: str = ""
    remedy: str = ""


def ok(what: str, value: str) -> Check:
    """Nothing to do."""
    return Check(what=what, value=value)


def warn(what: str, value: str, effect: str, remedy: str) -> Check:
    """Figures would be higher than need be, or vary more."""
    return Check(what=what, value=value, mark="warn", effect=effect, remedy=remedy)


def bad(what: str, value: str, effect: str, remedy: str) -> Check:
    """A run would fail, or its figures could not be trusted."""
    return Check(what=what, value=value, mark="bad", effect=effect, remedy=remedy)
