"""What every block of a scenario has, and how a plug-in is named in one."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Block(BaseModel):
    """Base of the scenario's blocks."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Choice(BaseModel):
    """A plug-in by name (`kind`) with its own keys, which `harness.scenario.check` validates."""

    model_config = ConfigDict(frozen=True, extra="allow")

    kind: str = Field(description="name of the plug-in; see `harness list`")

    @model_validator(mode="before")
    @classmethod
    def _shorthand(cls, value: Any) -> Any:
        return {"kind": value} if isinstance(value, str) else value

    @property
    def options(self) -> dict[str, Any]:
        """The keys beside `kind`."""
        return dict(self.model_extra or {})
