"""Ids in, ids out: POST of `{id, items: [{id, features}]}`, answered by the items in order, as Metarank's /rank does.

An answer is `{"items": [...]}`, or the list alone; each entry is an id, or an object with `item` or `id`. Metarank
takes features by name under `fields`, and wants a timestamp:

    adapter:
      kind: rank
      features_as: named
      features_key: fields
      fixed: {user: alice, session: s1, timestamp: "1661431886711"}

JSON has no NaN: a missing feature is null in a list, and left out where features are named.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import orjson
from pydantic import Field

from harness.adapters._order import order_of
from harness.errors import AnswerError
from harness.protocols import Ask, PluginOptions, Ranking, RankingRequest

ANSWER_HEADERS: tuple[str, ...] = ()


class Options(PluginOptions):
    """Keys of the rank adapter."""

    features_as: Literal["list", "named", "none"] = Field(
        default="list", description="list of numbers; named: list of {name, value}; none: the endpoint has its own"
    )
    features_key: str = Field(default="features", min_length=1, description="key of an item's features")
    fixed: dict[str, Any] = Field(default={}, description="further keys of every request, such as user and session")


def settle(options: Options, ask: Ask, request: RankingRequest) -> tuple[Options, dict[str, Any]]:
    """Nothing is open."""
    return options, {}


def width(options: Options, ask: Ask) -> int | None:
    """Such an endpoint does not say."""
    return None


def encode(options: Options, request: RankingRequest) -> tuple[bytes, dict[str, str]]:
    """The request as JSON; an infinite feature is null too, for JSON has none."""
    x = np.ascontiguousarray(request.x, dtype=np.float32)
    items: list[dict[str, Any]] = []
    for place, row in zip(request.item_ids, x, strict=True):
        item: dict[str, Any] = {"id": place}
        if options.features_as == "list":
            item[options.features_key] = row
        elif options.features_as == "named":
            item[options.features_key] = [
                {"name": name, "value": value}
                for name, value, known in zip(request.feature_names, row, np.isfinite(row), strict=True)
                if known
            ]
        items.append(item)
    message = {**options.fixed, "id": request.id, "items": items}
    return orjson.dumps(message, option=orjson.OPT_SERIALIZE_NUMPY), {"Content-Type": "application/json"}


def decode(options: Options, headers: Mapping[str, str], body: bytes, n: int) -> Ranking:
    """The order of the items. Raises AnswerError."""
    try:
        message = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise AnswerError(f"not JSON: {error}") from error
    items = message.get("items") if isinstance(message, dict) else message
    if not isinstance(items, list):
        raise AnswerError('expected a list of items, or an object with "items"')
    return order_of([_id(item) for item in items], n)


def _id(item: Any) -> Any:
    return item.get("item", item.get("id")) if isinstance(item, dict) else item
