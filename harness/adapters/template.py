"""Any JSON API: a Jinja body or a function of your own, and a path to the scores or ids of the answer.

A template sees `id`, `n`, `items` (each with `id` and `features`, a list with null for missing), `ids` and
`feature_names`; the filter `tojson` writes values. It runs in Jinja's sandbox. A function `module:function` of the
working directory or an installed package gets the same as keyword arguments, and returns the body as bytes, text, or
something that JSON can carry. Paths are those of `_json_path.py`: `scores` leads to numbers in the order of the
candidates, `order` to ids, best first.

Elasticsearch and OpenSearch, POST to /INDEX/_search, documents whose _id is the candidate's place:

    adapter:
      kind: template
      body: |
        {"size": {{ n }}, "_source": false, "track_total_hits": false,
         "query": {"ids": {"values": {{ ids | tojson }}}},
         "rescore": {"window_size": {{ n }}, "query": {"score_mode": "total", "rescore_query": {"sltr": {
           "model": "my_model", "params": {}}}}}}
      order: hits.hits[*]._id

Vespa, POST to /search/, a schema with the field `place` and a rank profile that scores it:

    adapter:
      kind: template
      body: |
        {"yql": "select place from sources * where place in ({{ ids | join(', ') }})",
         "hits": {{ n }}, "ranking": {"profile": "my_profile"}, "presentation": {"summary": "place"}}
      order: root.children[*].fields.place
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
from pydantic import Field, field_validator, model_validator

from harness.adapters._json_path import steps_of, values_at
from harness.adapters._order import order_of, scores_of
from harness.errors import AnswerError, TargetError
from harness.protocols import Ask, PluginOptions, Ranking, RankingRequest

if TYPE_CHECKING:
    from jinja2 import Template

ANSWER_HEADERS: tuple[str, ...] = ()


class Options(PluginOptions):
    """Keys of the template adapter."""

    body: str | None = Field(default=None, min_length=1, description="Jinja template of the request's body")
    function: str | None = Field(
        default=None, pattern=r"^[\w.]+:\w+$", description="module:function that makes the body instead"
    )
    scores: str | None = Field(default=None, description="path to the scores, in the order of the candidates")
    order: str | None = Field(default=None, description="path to the ids, best first")
    content_type: str = Field(default="application/json", pattern=r"^[ -~]+$", description="of the request")

    @field_validator("scores", "order")
    @classmethod
    def _path(cls, value: str | None) -> str | None:
        if value is not None:
            steps_of(value)
        return value

    @model_validator(mode="after")
    def _one_of_each(self) -> Options:
        if (self.body is None) == (self.function is None):
            raise ValueError("needs one of body and function")
        if (self.scores is None) == (self.order is None):
            raise ValueError("needs one of scores and order")
        return self


def settle(options: Options, ask: Ask, request: RankingRequest) -> tuple[Options, dict[str, Any]]:
    """Nothing is open."""
    return options, {}


def width(options: Options, ask: Ask) -> int | None:
    """Such an endpoint does not say."""
    return None


def encode(options: Options, request: RankingRequest) -> tuple[bytes, dict[str, str]]:
    """The body, made by the template or the function. Raises TargetError where that fails."""
    known = _known(request)
    try:
        if options.body is not None:
            made: Any = _template(options.body).render(known)
        else:
            made = _function(str(options.function))(**known)
    except TargetError:
        raise
    except Exception as error:
        where = "adapter.body" if options.body is not None else f"adapter.function: {options.function}"
        raise TargetError(
            f"no body for request {request.id}: {type(error).__name__}: {error}",
            where=where,
            remedy="it gets " + ", ".join(known),
        ) from error
    body = made if isinstance(made, bytes) else made.encode() if isinstance(made, str) else orjson.dumps(made)
    return body, {"Content-Type": options.content_type}


def decode(options: Options, headers: Mapping[str, str], body: bytes, n: int) -> Ranking:
    """What the path leads to. Raises AnswerError."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise AnswerError(f"not JSON: {error}") from error
    if options.scores is not None:
        return scores_of(values_at(document, options.scores))
    return order_of(values_at(document, str(options.order)), n)


def _known(request: RankingRequest) -> dict[str, Any]:
    finite = np.isfinite(request.x)
    rows = [
        [value if known else None for value, known in zip(row, there, strict=True)]
        for row, there in zip(request.x.tolist(), finite.tolist(), strict=True)
    ]
    items = [{"id": place, "features": row} for place, row in zip(request.item_ids, rows, strict=True)]
    return {
        "id": request.id,
        "n": len(items),
        "items": items,
        "ids": list(request.item_ids),
        "feature_names": list(request.feature_names),
    }


@cache
def _template(text: str) -> Template:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    return ImmutableSandboxedEnvironment(undefined=StrictUndefined).from_string(text)


@cache
def _function(name: str) -> Callable[..., Any]:
    module, _, function = name.partition(":")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)  # last, so that nothing there takes the place of a library
    try:
        found = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError) as error:
        raise TargetError(
            str(error), where=f"adapter.function: {name}", remedy="name a module of the working directory, or installed"
        ) from error
    if not callable(found):
        raise TargetError("is not a function", where=f"adapter.function: {name}", remedy="name one that makes the body")
    return found  # type: ignore[no-any-return]
