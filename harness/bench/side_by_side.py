"""Engines side by side: the same candidate lists at each length, and whose scores are those of the reference."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import numpy as np

from harness.bench.agreement import Agreement, agreement
from harness.bench.calls import Effort, call_times_us
from harness.bench.contenders import ROUNDING, Contender
from harness.bench.rows import lists_of
from harness.protocols import Scorer
from harness.ranking_data import Features
from harness.studies import BenchedEngine, EngineTimes

COMPARED_LISTS = 40


def times_at(
    contenders: Sequence[Contender],
    reference: Scorer,
    rows: Features,
    n_candidates: int,
    n_trees: int,
    cpus: Sequence[int],
    effort: Effort,
) -> list[EngineTimes]:
    """Times of every contender at one length of candidate list, interleaved, and its agreement with the reference."""
    scorers = [contender.scorer for contender in contenders]
    times_us = call_times_us(scorers, lists_of(rows, n_candidates), cpus, effort)
    compared = list(islice(lists_of(rows, n_candidates), COMPARED_LISTS))
    return [
        _record(n_candidates, n_trees, own, agreement(scorer, reference, compared))
        for scorer, own in zip(scorers, times_us, strict=True)
    ]


def _record(n: int, n_trees: int, times_us: Features, agrees: Agreement) -> EngineTimes:
    median_us = float(np.median(times_us))
    return EngineTimes(
        n_candidates=n,
        n_calls=times_us.size,
        median_us=median_us,
        p99_us=float(np.quantile(times_us, 0.99)),
        ns_per_candidate_tree=1e3 * median_us / (n * n_trees) if n_trees else float("nan"),
        difference=agrees.difference,
        same_order_share=agrees.same_order_share,
        kendall_tau=agrees.kendall_tau,
        top10_share=agrees.top10_share,
    )


def is_exact(contender: Contender, times: Sequence[EngineTimes]) -> bool:
    """Whether it holds itself to the reference, and its scores are within the tolerance that it states."""
    tolerance = contender.tolerance
    if tolerance is None or "lossy" in contender.info:
        return False
    return all(own.difference <= max(tolerance, ROUNDING) for own in times)


def record_of(contender: Contender, times: Sequence[EngineTimes], memory_bytes: int) -> BenchedEngine:
    """A contender with its times."""
    info = dict(contender.info)
    return BenchedEngine(
        engine=contender.label,
        options=contender.choice.options,
        info=info,
        exact=is_exact(contender, times),
        open_s=round(contender.open_s, 4),
        compile_s=round(float(info.get("generate_s", 0.0)) + float(info.get("compile_s", 0.0)), 4),
        load_s=round(contender.load_s, 4),
        loaded_bytes=int(info.get("loaded_bytes", 0)),
        memory_bytes=memory_bytes,
        times=tuple(times),
    )
