"""Getting to know an endpoint by real requests: until it answers, and with nothing of its adapter left open."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from harness import registry
from harness.errors import TargetError
from harness.protocols import PluginOptions, RankingRequest
from harness.scenario import Choice
from harness.target.client import Client

_POLL_S = 0.1
_TRIES = 3


def settled(
    client: Client, adapter: Choice, options: PluginOptions, request: RankingRequest
) -> tuple[Choice, dict[str, Any]]:
    """The adapter with all its options, and what it learnt; TargetError unless a real request gets a 2xx answer.

    An endpoint that fails now and then gets three tries.
    """
    plugin = registry.adapter(adapter.kind)
    closed, facts = plugin.settle(options, client, request)
    body, headers = plugin.encode(closed, request)
    for _ in range(_TRIES):
        reply = client.post(body, headers)
        if reply.ok:
            return Choice.model_validate({"kind": adapter.kind, **closed.model_dump(mode="json")}), facts
    redirected = " (redirects are not followed)" if 300 <= reply.status < 400 else ""
    raise TargetError(
        f"a real request got {client.excerpt(reply)}{redirected}",
        where=client.url,
        remedy="compare url and adapter with what the endpoint takes",
    )


def when_ready(attempt: Callable[[], Any], check: Callable[[], None], timeout_s: float) -> Any:
    """What `attempt` gives once it raises no TargetError any more; the last one after `timeout_s`.

    `check` raises where there is nothing to wait for.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        check()
        try:
            return attempt()
        except TargetError as error:
            if time.monotonic() > deadline:
                raise TargetError(
                    f"not ready after {timeout_s:g} s: {error.what}",
                    where=error.where,
                    remedy="raise target.ready_timeout_s, or look into the command's log",
                ) from error
        time.sleep(_POLL_S)
