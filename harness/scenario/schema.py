"""The scenario: what was asked. Frozen, unknown keys forbidden; a plug-in section is `kind` plus the plug-in's keys."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    field_validator,
    model_validator,
)

from harness.records import NdcgSpec

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"
PERCENTILE = re.compile(r"p(?!0+_)(\d{2}|\d{2,4}[1-9])_ms")
"""p50, p99, p999: the digits behind `0.`; so p100 would be the 10th percentile, and is refused."""


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


class Serve(Block):
    """How the server runs."""

    host: Literal["127.0.0.1", "localhost", "::1"] = Field(default="127.0.0.1", description="loopback address to bind")
    port: int = Field(default=0, ge=0, le=65535, description="0 picks a free port")
    workers: int = Field(default=1, ge=1, le=64, description="server processes, one per core")
    max_candidates: int = Field(default=10_000, ge=1, le=1_000_000, description="longest candidate list accepted")
    ready_timeout_s: float = Field(default=60.0, gt=0, le=3600, description="longest wait for readiness")


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


HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_OWN_HEADERS = ("host", "content-length", "content-type", "transfer-encoding", "connection")


_VARIABLE = r"[A-Za-z_][A-Za-z0-9_]*"


def _variable(name: str) -> str:
    if not re.fullmatch(_VARIABLE, name):  # perhaps the credential itself, which no message may repeat
        raise ValueError("must be the name of an environment variable, not what it holds")
    if name.startswith("LOCUST"):
        raise ValueError(f"{name} is one of Locust's own variables; use another name")
    return name


Variable = Annotated[str, AfterValidator(_variable), Field(json_schema_extra={"pattern": f"^{_VARIABLE}$"})]
"""Name of an environment variable that holds a credential."""


class Access(Block):
    """How an endpoint may be reached. Credentials are named by their environment variables, never written down."""

    headers_env: dict[str, Variable] = Field(
        default={}, description="HTTP header -> environment variable that holds its value"
    )
    bearer_env: Variable | None = Field(default=None, description="environment variable that holds a bearer token")
    tls_ca: str | None = Field(default=None, description="PEM file of the authority to trust instead of the usual ones")
    tls_verify: bool = Field(default=True, description="false takes any certificate, which the report says")
    remote: bool = Field(default=False, description="allow another host than this: load only hosts you may load")
    max_answer_mb: float = Field(default=4.0, gt=0, le=1024, description="larger answers are failed requests")

    @property
    def variables(self) -> tuple[str, ...]:
        """The environment variables that hold credentials, each once."""
        named = (*self.headers_env.values(), *([self.bearer_env] if self.bearer_env else []))
        return tuple(dict.fromkeys(named))

    @field_validator("headers_env")
    @classmethod
    def _names(cls, value: dict[str, str]) -> dict[str, str]:
        for name in value:
            if not HEADER.fullmatch(name) or name.lower() in _OWN_HEADERS:
                raise ValueError(f"{name!r} is not the name of a header that may be set")
        return value


class ExternalTarget(Access):
    """A ranking endpoint that runs already, or that a command starts; takes the place of build and serve."""

    url: str = Field(description="address that requests are POSTed to; kept in reports, so no credentials in it")
    adapter: Choice = Choice(kind="oip")
    command: tuple[str, ...] = Field(default=(), description="program and arguments that start the endpoint")
    ready_timeout_s: float = Field(
        default=60.0, gt=0, le=3600, description="longest wait for a first answer after the command was started"
    )
    bundle: str | None = Field(default=None, description="bundle directory whose scores the answers must equal")

    @property
    def access(self) -> Access:
        """How it may be reached, without what it is."""
        return Access.model_validate(self.model_dump(include=set(Access.model_fields)))


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
    sla: Sla

    @field_validator("compress", mode="before")
    @classmethod
    def _as_tuple(cls, value: Any) -> Any:
        return () if value is None else tuple(value) if isinstance(value, list) else value

    @property
    def has_data(self) -> bool:
        """Whether candidates come from `data`; those for a target in a scenario without it are random."""
        return self.target is None or "data" in self.model_fields_set


def quantile_of(objective: str) -> float:
    """The quantile a percentile objective names: p50_ms -> 0.5, p999_ms -> 0.999."""
    match = PERCENTILE.fullmatch(objective)
    if match is None:
        raise ValueError(f"{objective!r} is not a percentile objective")
    return float(f"0.{match[1]}")
