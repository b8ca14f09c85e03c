"""The scenario: what was asked. Frozen, unknown keys forbidden; a plug-in section is `kind` plus the plug-in's keys."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, field_validator, model_validator

from harness.records import NdcgSpec
from harness.scenario.block import Block, Choice
from harness.scenario.target import ExternalTarget
from harness.scenario.traffic import Load, Traffic

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"
PERCENTILE = re.compile(r"p(?!0+_)(\d{2}|\d{2,4}[1-9])_ms")
"""p50, p99, p999: the digits behind `0.`; so p100 would be the 10th percentile, and is refused."""


class Serve(Block):
    """How the server runs."""

    host: Literal["127.0.0.1", "localhost", "::1"] = Field(default="127.0.0.1", description="loopback address to bind")
    port: int = Field(default=0, ge=0, le=65535, description="0 picks a free port")
    workers: int = Field(default=1, ge=1, le=64, description="server processes, one per core")
    max_candidates: int = Field(default=10_000, ge=1, le=1_000_000, description="longest candidate list accepted")
    ready_timeout_s: float = Field(default=60.0, gt=0, le=3600, description="longest wait for readiness")


class Ndcg(NdcgSpec):
    """`sla.ndcg`: unlike in a record read back, an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Sla(Block):
    """The objectives: `pNN_ms` latency percentiles, rates, and what compression may cost."""

    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)
    __pydantic_extra__: dict[str, Annotated[float, Field(gt=0)]]

    p50_ms: float | None = Field(default=None, gt=0, description="median latency from the due time")
    p90_ms: float | None = Field(default=None, gt=0)
    p95_ms: float | None = Field(default=None, gt=0)
    p99_ms: float | None = Field(default=None, gt=0)
    p999_ms: float | None = Field(default=None, gt=0)
    error_rate: float | None = Field(default=None, ge=0, le=1, description="share of failed and unsent requests")
    min_qps: float | None = Field(
        default=None, gt=0, description="requests per second at which the latency objectives and error rate hold"
    )
    ndcg_drop: float | None = Field(
        default=None, ge=-1, le=1, description="NDCG the recipe may cost against the teacher"
    )
    size_mb: float | None = Field(default=None, gt=0, description="bytes of the served artefact / 10^6")
    memory_mb: float | None = Field(default=None, gt=0, description="resident memory of one server process / 10^6")
    ndcg: Ndcg = Field(default=Ndcg(), description="which NDCG is meant")

    @model_validator(mode="after")
    def _check(self) -> Sla:
        for key in self.model_extra or {}:
            if not PERCENTILE.fullmatch(key):
                raise ValueError(
                    f"unknown objective {key!r}: pNN_ms, such as p99_ms or p9999_ms, or one of the named ones"
                )
        if not self.objectives:
            raise ValueError("needs at least one objective, such as p99_ms: 25")
        return self

    @property
    def objectives(self) -> dict[str, float]:
        """Objective name -> limit, percentiles first and ascending."""
        named = {k: float(v) for k, v in self.model_dump().items() if k != "ndcg" and v is not None}
        latency = sorted((k for k in named if PERCENTILE.fullmatch(k)), key=quantile_of)
        return {k: named[k] for k in [*latency, *(k for k in named if k not in latency)]}

    @property
    def percentiles(self) -> dict[str, float]:
        """The latency objectives alone: name -> limit in ms, ascending."""
        return {name: limit for name, limit in self.objectives.items() if PERCENTILE.fullmatch(name)}


class CapacitySearch(Block):
    """`capacity`: after its load test, a run also searches the highest rate within the SLA, of each side it serves."""

    budget_s: float = Field(default=150.0, ge=20, le=7200, description="seconds of load tests, shared by the sides")


class Scenario(Block):
    """One question: this ranker, compressed so, served so (or this target), under this traffic, against this SLA."""

    name: str = Field(pattern=NAME_PATTERN, description="names the run directory")
    description: str = ""
    data: Choice = Choice(kind="synthetic_feed")
    ranker: Choice = Choice(kind="lightgbm")
    compress: tuple[Choice, ...] = ()
    engine: Choice = Choice(kind="native")
    serve: Serve = Serve()
    target: ExternalTarget | None = None
    traffic: Traffic = Traffic()
    load: Load = Load()
    capacity: CapacitySearch | None = None
    sla: Sla

    @field_validator("compress", mode="before")
    @classmethod
    def _as_tuple(cls, value: Any) -> Any:
        return () if value is None else tuple(value) if isinstance(value, list) else value

    @property
    def has_data(self) -> bool:
        """Whether candidates come from `data`; those for a target or a model file in a scenario without it are made up.

        A ranker that has to be trained has the default data.
        """
        return "data" in self.model_fields_set or (self.target is None and self.ranker.kind != "file")


def quantile_of(objective: str) -> float:
    """The quantile a percentile objective names: p50_ms -> 0.5, p999_ms -> 0.999."""
    match = PERCENTILE.fullmatch(objective)
    if match is None:
        raise ValueError(f"{objective!r} is not a percentile objective")
    return float(f"0.{match[1]}")
