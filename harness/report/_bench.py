"""A bench in words and as tables."""

from __future__ import annotations

import math
from collections.abc import Iterator

from harness.report import _numbers as numbers
from harness.report._table import Table
from harness.studies import Bench, BenchedEngine, EngineTimes


def sentence(bench: Bench) -> str:
    """Which engine is fastest for the model on this machine, at which lengths, and by how much."""
    wins = _wins(bench)
    if not wins:
        return "Nothing was measured." if not bench.engines else "No exact engine was measured."
    cpu = bench.measurements.environment.get("cpu", "this machine")
    said = [f"{engine.engine} at {_at(lengths)} ({_figures(bench, engine, lengths)})" for engine, lengths in wins]
    faster = [
        f"{engine.engine} is faster at {_at(lengths)}, but not exact" for engine, lengths in _wins(bench, exact=False)
        if not engine.exact
    ]  # fmt: skip
    return f"On {cpu}, the fastest exact engine for this model is {'; '.join([', '.join(said), *faster])}."


def tables(bench: Bench) -> tuple[Table, ...]:
    """Times by length, what each engine takes to have, how it agrees with the reference, and who was left out."""
    return (_medians(bench), _calls(bench), _having(bench), _agreeing(bench), _skipped(bench))


def _wins(bench: Bench, *, exact: bool = True) -> list[tuple[BenchedEngine, list[int]]]:
    """The winners, each with the lengths it wins, the one that wins most first."""
    found: dict[str, tuple[BenchedEngine, list[int]]] = {}
    for n in bench.lengths:
        winner = bench.fastest(n, exact=exact)
        if winner is not None:
            found.setdefault(winner.engine, (winner, []))[1].append(n)
    return sorted(found.values(), key=lambda won: -len(won[1]))


def _at(lengths: list[int]) -> str:
    first, *rest = [f"{n:,}" for n in lengths]
    named = f"{', '.join([first, *rest[:-1]])} and {rest[-1]}" if rest else first
    return f"{named} candidate{'s' if lengths != [1] else ''}"


def _figures(bench: Bench, engine: BenchedEngine, lengths: list[int]) -> str:
    """The time at the length nearest to 100 in ratio, and how that compares with the reference engine's."""
    n = min(lengths, key=lambda length: abs(math.log(length / 100)))
    own = engine.at(n)
    rival = next((other.at(n) for other in bench.engines if other.engine == bench.reference), None)
    assert own is not None  # noqa: S101  # it won there
    times = numbers.us(own.median_us) if lengths == [n] else f"{numbers.us(own.median_us)} for {n:,}"
    if rival is None or engine.engine == bench.reference:
        return times
    ratio = numbers.ratio(rival.median_us, own.median_us, "faster", "slower")
    return f"{times}, {ratio}{' as' if ratio == numbers.SAME else ' than'} {bench.reference}"


def _medians(bench: Bench) -> Table:
    heads = ("engine", "exact", *(f"{n:,}" for n in bench.lengths))
    rows = tuple(
        (engine.engine, "yes" if engine.exact else "no", *(_median(engine.at(n)) for n in bench.lengths))
        for engine in bench.engines
    )
    note = "Of one call, by candidates in it; all engines interleaved call by call in one process on one core."
    return Table("Median time", heads, rows, n_text=2, note=f"{note} Candidates: {bench.candidates}.")


def _median(times: EngineTimes | None) -> str:
    return numbers.us(times.median_us) if times else numbers.NOTHING


def _calls(bench: Bench) -> Table:
    rows = tuple(
        (
            engine.engine,
            f"{times.n_candidates:,}",
            f"{times.n_calls:,}",
            numbers.us(times.median_us),
            numbers.us(times.p99_us),
            numbers.us(times.median_us / times.n_candidates),
            numbers.figure(times.ns_per_candidate_tree, "ns"),
            _against(bench, times),
        )
        for n in bench.lengths
        for engine in bench.engines
        if (times := engine.at(n))
    )
    heads = ("engine", "candidates", "calls", "median", "p99", "per candidate", "per candidate × tree")
    return Table("Calls", (*heads, f"times as fast as {bench.reference}"), rows)


def _against(bench: Bench, times: EngineTimes) -> str:
    rival = next((other.at(times.n_candidates) for other in bench.engines if other.engine == bench.reference), None)
    return numbers.figure(rival.median_us / times.median_us) if rival else numbers.NOTHING


def _having(bench: Bench) -> Table:
    rows = tuple(
        (
            engine.engine,
            numbers.figure(engine.compile_s, "s") if engine.compile_s else numbers.NOTHING,
            numbers.figure(engine.load_s, "s"),
            numbers.size(engine.loaded_bytes),
            numbers.size(engine.memory_bytes),
            str(engine.info.get("library", "")),
        )
        for engine in bench.engines
    )
    heads = ("engine", "compile", "load", "loaded", "resident memory added", "by")
    note = "Memory is that of a process of its own, the engine's libraries included."
    return Table("To have the engine", heads, rows, wide=(5,), note=note)


def _agreeing(bench: Bench) -> Table:
    rows = tuple(
        (
            engine.engine,
            "yes" if engine.exact else str(engine.info.get("lossy", "") or "no: beyond its stated tolerance"),
            _worst(engine),
            *_least(engine),
        )
        for engine in bench.engines
    )
    heads = ("engine", "exact", "largest difference", "Kendall's tau", "lists in the same order", "of the first 10")
    note = (
        f"Against {bench.reference}, at the length where each is worst; differences are shares of the largest score. "
        "Candidates that score alike may change places without a loss."
    )
    return Table("Agreement with the reference", heads, rows, wide=(1,), note=note)


def _worst(engine: BenchedEngine) -> str:
    worst = max((times.difference for times in engine.times), default=0.0)
    return f"{worst:.2g}"


def _least(engine: BenchedEngine) -> Iterator[str]:
    taus = [t.kendall_tau for t in engine.times if not math.isnan(t.kendall_tau)]
    yield f"{min(taus):.4f}" if taus else numbers.NOTHING
    for shares in ([t.same_order_share for t in engine.times], [t.top10_share for t in engine.times]):
        yield numbers.share(min(shares)) if shares else numbers.NOTHING


def _skipped(bench: Bench) -> Table:
    rows = tuple((one.engine, one.reason) for one in bench.skipped)
    return Table("Left out", ("engine", "why"), rows, n_text=2, wide=(1,))
