"""`traffic` and `load`: which requests are planned, when, for how long, and what sends them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from harness.scenario.block import Block


class Burst(Block):
    """`traffic.burst`, for `arrival: bursty`: requests come in bursts, nothing in between."""

    on_s: float = Field(default=1.0, gt=0, le=3600, description="length of a burst, exponential gaps within it")
    off_s: float = Field(default=1.0, ge=0, le=3600, description="silence after it")


class LognormalCandidates(Block):
    """`traffic.n_candidates` drawn from a log-normal distribution, rounded, at least 1."""

    kind: Literal["lognormal"]
    median: float = Field(ge=1, le=100_000, description="half of the candidate lists are longer")
    sigma: float = Field(ge=0, le=4, description="standard deviation of the logarithm of the length")
    max: int = Field(default=10_000, ge=1, le=100_000, description="longer lists are cut to this length")


class DlrmCandidates(Block):
    """`traffic.n_candidates` as MLPerf's DLRM benchmark has it: twenty equally likely lengths, 100 to 700."""

    kind: Literal["dlrm"]


def _form(value: Any) -> str | None:
    """Which form of `CandidateCount` a value has."""
    if isinstance(value, dict):
        return value["kind"] if value.get("kind") in CANDIDATE_FORMS[:2] else None
    if isinstance(value, LognormalCandidates | DlrmCandidates):
        return value.kind
    return CANDIDATE_FORMS[2] if value is None else CANDIDATE_FORMS[3]


CANDIDATE_FORMS = ("lognormal", "dlrm", "null", "length")
CandidateCount = Annotated[
    Annotated[int, Field(ge=1, le=100_000), Tag("length")]
    | Annotated[LognormalCandidates, Tag("lognormal")]
    | Annotated[DlrmCandidates, Tag("dlrm")]
    | Annotated[None, Tag("null")],
    Discriminator(
        _form,
        custom_error_type="candidate_form",
        custom_error_message="must be a whole number, null, or a mapping with kind: lognormal or kind: dlrm",
    ),
]
"""How long candidate lists are: one length, a distribution of lengths, or (null) the query groups' own."""


class Traffic(Block):
    """Which requests are planned, when, and for how long."""

    arrival: Literal["poisson", "constant", "bursty", "replay", "closed"] = Field(
        default="poisson",
        description="poisson: exponential gaps; constant: equal gaps; bursty: on and off; replay: recorded; "
        "closed: one after another, for comparison",
    )
    offered_qps: float = Field(default=100.0, gt=0, le=100_000, description="planned requests per second, on average")
    burst: Burst = Field(default=Burst(), description="of bursty arrival; its mean rate is offered_qps all the same")
    arrivals: Path | None = Field(
        default=None, description="of replay: file of arrival times in seconds, one per line, or .npy"
    )
    rescale_arrivals: bool = Field(
        default=False, description="of replay: stretch the recorded times so that their mean rate is offered_qps"
    )
    n_candidates: CandidateCount = Field(
        default=100, description="candidates per request; null takes the query groups as they are"
    )
    n_features: int | None = Field(
        default=None, ge=1, le=100_000, description="width of random candidates, for a target without data"
    )
    encoding: Literal["binary", "json"] = Field(default="binary", description="request encoding")
    warm_up_s: float = Field(default=2.0, ge=0, le=600, description="discarded before each judged window")
    window_s: float = Field(default=10.0, gt=0, le=3600, description="judged time per target, over all rounds")
    extend_to_s: float | None = Field(
        default=None, gt=0, le=3600, description="an undecided run goes on by itself up to this judged time per target"
    )
    rounds: int = Field(default=2, ge=1, le=100, description="blocks the window is split into, targets alternating")
    timeout_s: float = Field(default=2.0, gt=0, le=60, description="longest wait for an answer")
    max_in_flight: int = Field(
        default=256, ge=1, le=4096, description="requests over it count as unsent; per load process"
    )
    n_bodies: int = Field(default=256, ge=1, le=100_000, description="different requests, encoded before the run")
    teacher: bool = Field(default=True, description="load-test the uncompressed teacher beside, same traffic")
    seed: int = Field(default=1, ge=0, description="seed of the schedule and of the candidates")

    @model_validator(mode="after")
    def _consistent(self) -> Traffic:
        if (self.arrival == "replay") != (self.arrivals is not None):
            raise ValueError("arrival: replay and arrivals: FILE need one another")
        if self.extend_to_s is not None and self.extend_to_s < self.window_s:
            raise ValueError(f"extend_to_s must be at least window_s, {self.window_s:g}")
        return self


class Load(Block):
    """How the load is generated."""

    processes: int = Field(default=1, ge=1, le=64, description="load processes, one per core, that share the traffic")
    locustfile: Path | None = Field(
        default=None, description="your own Locust file, with a subclass of harness.load.user.RankingUser"
    )
