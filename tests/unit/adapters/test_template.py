"""Templates and functions of the user's own, and paths into answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from harness.adapters import template
from harness.adapters._json_path import values_at
from harness.errors import AnswerError, TargetError
from harness.protocols import RankingRequest

REQUEST = RankingRequest("body-0", np.array([[1.5, np.nan], [2.0, -1.0]], np.float32), ("price", "age"))


def options(**keys: Any) -> template.Options:
    return template.Options(**{"scores": "s", **keys})


def test_a_template_sees_the_request() -> None:
    text = '{"q": "{{ id }}", "n": {{ n }}, "ids": {{ ids | tojson }}, "x": {{ items | tojson }}'
    text += ', "f": {{ feature_names | tojson }}}'
    body, headers = template.encode(options(body=text, content_type="application/x-json"), REQUEST)
    assert json.loads(body) == {
        "q": "body-0",
        "n": 2,
        "ids": ["0", "1"],
        "x": [{"id": "0", "features": [1.5, None]}, {"id": "1", "features": [2.0, -1.0]}],
        "f": ["price", "age"],
    }
    assert headers == {"Content-Type": "application/x-json"}


@pytest.mark.parametrize(
    "text",
    [
        "{{ nobody }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ ids.append(3) }}",
        "{% for i in range(10000000) %}x{% endfor %}",
        "{{ 1 / 0 }}",
    ],
)
def test_a_template_that_fails_or_leaves_the_sandbox(text: str) -> None:
    with pytest.raises(TargetError, match=r"adapter\.body: no body for request body-0"):
        template.encode(options(body=text), REQUEST)


def test_a_function_of_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "our_api_of_this_test.py").write_text(
        "def body(*, id, n, items, ids, feature_names):\n    return {'rank': ids, 'first': items[0]['features']}\n"
        "def text(**_):\n    return 'plain'\n"
        "def raw(**_):\n    return b'raw'\n"
        "def broken(**_):\n    raise KeyError('lost')\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [*__import__("sys").path])

    def made(name: str) -> bytes:
        return template.encode(options(function=f"our_api_of_this_test:{name}"), REQUEST)[0]

    assert json.loads(made("body")) == {"rank": ["0", "1"], "first": [1.5, None]}
    assert (made("text"), made("raw")) == (b"plain", b"raw")
    with pytest.raises(TargetError, match=r"KeyError: 'lost'"):
        made("broken")
    with pytest.raises(TargetError, match="no attribute 'absent'"):
        made("absent")
    with pytest.raises(TargetError, match="No module named 'nowhere'"):
        template.encode(options(function="nowhere:f"), REQUEST)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"scores": "s"}, "one of body and function"),
        ({"body": "x", "function": "a:b", "scores": "s"}, "one of body and function"),
        ({"body": "x"}, "one of scores and order"),
        ({"body": "x", "scores": "s", "order": "o"}, "one of scores and order"),
        ({"body": "x", "scores": "a..b"}, "not a path"),
        ({"body": "x", "order": ""}, "leads nowhere"),
        ({"function": "os.system", "scores": "s"}, "pattern"),
    ],
)
def test_options_that_do_not_go_together(keys: dict[str, str], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        template.Options(**keys)


DOCUMENT = {
    "hits": {"hits": [{"_id": "1", "_score": 2.5}, {"_id": "0", "_score": 1.5}]},
    "root": {"children": [{"fields": {"place": 1}}, {"fields": {"place": 0}}]},
    "scores": [0.25, None],
    "rows": [[1, 2], [3, 4]],
}


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("hits.hits[*]._id", ["1", "0"]),
        ("root.children[*].fields.place", [1, 0]),
        ("scores", [0.25, None]),
        ("rows[1]", [3, 4]),
        ("rows[*][0]", [1, 3]),
        ("rows[*][*]", [1, 2, 3, 4]),
        ("hits.hits[0]._id", ["1"]),
    ],
)
def test_paths(path: str, values: list[Any]) -> None:
    assert values_at(DOCUMENT, path) == values


@pytest.mark.parametrize("path", ["nobody", "hits.hits._id", "scores.x", "scores[2]", "hits[*]", "[0]"])
def test_paths_that_end_early(path: str) -> None:
    with pytest.raises(AnswerError, match="path"):
        values_at(DOCUMENT, path)


@pytest.mark.parametrize("path", [".a", "a.", "a[", "a[x]", "a[-1]", "a..b", "]"])
def test_no_paths(path: str) -> None:
    with pytest.raises(ValidationError):
        template.Options(body="x", scores=path)


def test_scores_and_order() -> None:
    body = json.dumps(DOCUMENT).encode()
    scores = template.decode(options(body="x", scores="scores"), {}, body, 2)
    assert scores.fault(2) == "not-finite"
    order = template.decode(template.Options(body="x", order="hits.hits[*]._id"), {}, body, 2)
    assert order.order.tolist() == [1, 0]
    for wrong in (b"not JSON", b'{"s": ["a", "b"]}', b'{"s": [true, false]}'):
        with pytest.raises(AnswerError):
            template.decode(options(body="x"), {}, wrong, 2)
