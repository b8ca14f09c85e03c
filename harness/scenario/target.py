"""`target`: an endpoint that is not ours, and how it may be reached."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field, field_validator

from harness.scenario.block import Block, Choice

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
