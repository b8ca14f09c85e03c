"""What every record has: frozen, written as strict JSON, read back with its floats."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

SCHEMA_VERSION = 1
NON_FINITE = ("NaN", "Infinity", "-Infinity")
TEACHER, COMPRESSED, TARGET = "teacher", "compressed", "target"
SUBJECTS = (COMPRESSED, TARGET)
"""Names of what is judged: the compressed ranker, or an endpoint that the scenario's `target` names."""


def _revived(value: Any) -> Any:
    match value:
        case str() if value in NON_FINITE:
            return float(value)
        case dict():
            return {key: _revived(item) for key, item in value.items()}
        case list() | tuple():
            return [_revived(item) for item in value]
    return value


Facts = Annotated[dict[str, Any], BeforeValidator(_revived)]
"""Free-form values. The strings of `NON_FINITE` mean those floats in them too."""


class Record(BaseModel):
    """Base of everything written as JSON: frozen; unknown keys of a newer version are ignored when read.

    Strict JSON has no NaN and no infinities: they are written as the strings of `NON_FINITE` and read back as floats.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_inf_nan="strings")


class Versioned(Record):
    """A record that is a file of its own. Of a newer version it is refused, for its keys may mean something else."""

    schema_version: int = SCHEMA_VERSION

    @field_validator("schema_version")
    @classmethod
    def _readable(cls, version: int) -> int:
        if version > SCHEMA_VERSION:
            raise ValueError(
                f"schema version {version}, this harness reads up to {SCHEMA_VERSION}: install a newer one"
            )
        return version


class NdcgSpec(Record):
    """Which NDCG: cut-off k, and what a query group without a positive grade counts as."""

    k: int = Field(default=10, ge=1, description="cut-off rank")
    empty: Literal["skip", "zero", "one"] = Field(
        default="skip", description="what a query group without a positive grade counts as"
    )

    def __str__(self) -> str:
        return f"NDCG@{self.k} (groups without a positive: {self.empty})"
