"""What every adapter keeps to, whoever wrote it: pure bytes, and a clear error for whatever comes back."""

from contextlib import suppress

import numpy as np
import pytest

from harness import registry
from harness.errors import HarnessError
from harness.protocols import RankingRequest
from harness.scenario import Choice, options

OPTIONS = {"template": {"body": "{{ items | tojson }}", "order": "ids"}}
X = np.array([[0.5, np.nan], [-0.0, 1e-30], [3e38, 7.0]], np.float32)


@pytest.fixture(params=registry.names("adapters"))
def adapter(request):
    """(plug-in, options) of each."""
    choice = Choice.model_validate({"kind": request.param, **OPTIONS.get(request.param, {})})
    return registry.adapter(request.param), options("adapters", choice)


def request_of(x):
    return RankingRequest("body-0", x, tuple(f"f{i}" for i in range(x.shape[1])))


@pytest.mark.parametrize("n", [0, 1, 3])
def test_a_request_is_bytes_and_headers_of_one_line_and_repeatable(adapter, n):
    plugin, chosen = adapter
    before = X.copy()
    body, headers = plugin.encode(chosen, request_of(X[:n]))
    assert isinstance(body, bytes)
    assert body
    assert all(name.isascii() and value.isprintable() for name, value in headers.items())
    assert plugin.encode(chosen, request_of(X[:n])) == (body, headers)
    np.testing.assert_array_equal(X, before)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00",
        b"null",
        b"3",
        b'"text"',
        b"[[]]",
        b"{}",
        b'{"outputs": {}}',
        b'{"items": 3, "ids": 3}',
        b"{" * 9999,
    ],
)
@pytest.mark.parametrize("headers", [{}, {"inference-header-content-length": "x"}])
def test_whatever_comes_back_is_a_ranking_or_a_clear_error(adapter, body, headers):
    plugin, chosen = adapter
    found = None
    with suppress(HarnessError):  # the clear error
        found = plugin.decode(chosen, headers, body, 3)
    assert found is None or found.fault(3)


def test_headers_that_decode_needs_are_named_in_lower_case(adapter):
    assert all(name == name.lower() for name in adapter[0].ANSWER_HEADERS)
