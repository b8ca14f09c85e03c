"""Ids in, ids out."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from harness.adapters import rank
from harness.errors import AnswerError
from harness.protocols import RankingRequest

REQUEST = RankingRequest("body-0", np.array([[1.5, np.nan], [2.0, -1.0]], np.float32), ("price", "age"))


def sent(**keys: Any) -> dict[str, Any]:
    body, headers = rank.encode(rank.Options(**keys), REQUEST)
    assert headers == {"Content-Type": "application/json"}
    return json.loads(body)


def test_features_as_a_list() -> None:
    assert sent() == {
        "id": "body-0",
        "items": [{"id": "0", "features": [1.5, None]}, {"id": "1", "features": [2.0, -1.0]}],
    }


def test_as_metarank_takes_them() -> None:
    message = sent(features_as="named", features_key="fields", fixed={"user": "alice", "timestamp": "1661431886711"})
    assert message["items"] == [
        {"id": "0", "fields": [{"name": "price", "value": 1.5}]},
        {"id": "1", "fields": [{"name": "price", "value": 2.0}, {"name": "age", "value": -1.0}]},
    ]
    assert (message["user"], message["timestamp"], message["id"]) == ("alice", "1661431886711", "body-0")


def test_ids_alone() -> None:
    assert sent(features_as="none")["items"] == [{"id": "0"}, {"id": "1"}]


@pytest.mark.parametrize(
    "answer",
    [
        {"items": [{"item": "1", "score": 0.9}, {"item": "0", "score": 0.1}]},
        {"items": [{"id": "1"}, {"id": "0"}]},
        {"items": ["1", "0"]},
        ["1", "0"],
        [1, 0],
    ],
)
def test_the_order_of_an_answer(answer: Any) -> None:
    ranking = rank.decode(rank.Options(), {}, json.dumps(answer).encode(), 2)
    assert ranking.order.tolist() == [1, 0]
    assert ranking.fault(2) is None


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (["1"], "wrong-length"),
        (["1", "0", "0"], "wrong-length"),
        (["1", "1"], "not-a-permutation"),
        (["1", "someone-else"], "not-a-permutation"),
    ],
)
def test_an_order_that_ranks_not_everyone_once(answer: Any, fault: str) -> None:
    assert rank.decode(rank.Options(), {}, json.dumps(answer).encode(), 2).fault(2) == fault


@pytest.mark.parametrize("body", [b"", b"3", b"{}", b'{"items": {}}', b"[null]", b"[1.5, 0]", b'[{"name": "0"}]'])
def test_no_order_at_all(body: bytes) -> None:
    with pytest.raises(AnswerError):
        rank.decode(rank.Options(), {}, body, 2)
