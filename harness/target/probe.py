"""`harness probe`: is an endpoint up, how does it want to be asked, and what does one request cost?"""

from __future__ import annotations

from statistics import median

import numpy as np

from harness import registry
from harness.errors import HarnessError, TargetError
from harness.protocols import Adapter, PluginOptions, RankingRequest, Reply
from harness.records import Facts, Record
from harness.scenario import Access, Choice, options
from harness.target.client import Client
from harness.target.endpoint import settled

N_REQUESTS = 10
"""Timed requests, after at most five to get to know the endpoint."""


class Probe(Record):
    """What sequential requests of one candidate list told; a round trip includes connecting.

    `adapter` holds the options that were settled on, `metadata` what the model says of itself; `problem` is what is
    wrong with the last answer, empty where it ranks every candidate.
    """

    url: str
    adapter: Facts
    metadata: Facts
    refused: Facts
    n_candidates: int
    n_features: int
    n_requests: int = N_REQUESTS
    n_failed: int
    round_trip_ms_min: float
    round_trip_ms_median: float
    bytes_out: int
    bytes_in: int
    answer: str
    problem: str = ""


def random_request(n_candidates: int, n_features: int, seed: int = 0) -> RankingRequest:
    """Normal features."""
    x = np.random.default_rng(seed).standard_normal((n_candidates, n_features), dtype=np.float32)
    return RankingRequest("probe", x, tuple(f"f{i}" for i in range(n_features)))


def probe(
    url: str, access: Access, adapter: Choice, n_candidates: int, n_features: int | None, timeout_s: float
) -> Probe:
    """Ask an endpoint at most 15 times, one request after another. TargetError where it does not answer."""
    client = Client(url, access, timeout_s)
    plugin, chosen = registry.adapter(adapter.kind), options("adapters", adapter)
    width = n_features or plugin.width(chosen, client)
    if width is None:
        raise TargetError("it does not say how many features it takes", where=url, remedy="add --n-features")
    request = random_request(n_candidates, width)
    known, facts = settled(client, adapter, chosen, request)
    closed = options("adapters", known)
    body, headers = plugin.encode(closed, request)
    replies = [client.post(body, headers) for _ in range(N_REQUESTS)]
    answered = [reply for reply in replies if reply.ok] or replies
    times = [reply.round_trip_ms for reply in answered]
    answer, problem = _reading(plugin, closed, answered[-1], n_candidates) if answered[-1].ok else ("", "")
    return Probe(
        url=url,
        adapter={"kind": known.kind, **known.options},
        metadata=facts.get("metadata", {}),
        refused=facts.get("refused", {}),
        n_candidates=n_candidates,
        n_features=width,
        n_failed=sum(not reply.ok for reply in replies),
        round_trip_ms_min=min(times),
        round_trip_ms_median=median(times),
        bytes_out=len(body),
        bytes_in=len(answered[-1].body),
        answer=answer,
        problem=problem or ("" if answered[-1].ok else client.excerpt(answered[-1])),
    )


def _reading(plugin: Adapter, closed: PluginOptions, reply: Reply, n: int) -> tuple[str, str]:
    """`scores` or `order`, and what is wrong with it."""
    try:
        ranking = plugin.decode(closed, reply.headers, reply.body, n)
    except HarnessError as error:
        return "", error.what
    return "order" if ranking.scores is None else "scores", ranking.fault(n) or ""
