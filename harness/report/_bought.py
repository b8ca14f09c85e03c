"""What compression bought: the uncompressed teacher against the compressed ranker, side by side."""

from __future__ import annotations

import math

from harness.records import ModelSize, Report
from harness.report import _capacity
from harness.report import _numbers as numbers
from harness.report._table import Cell, Table
from harness.report._target import COMPRESSED, TARGET, TEACHER, Target, engine_us, is_compressed, subject, target

_ABSENT = Target("absent", None, None, None)


def table(report: Report) -> Table:
    """Latency, time, size and quality of both sides, and how they differ; `–` where one was not measured.

    An endpoint that the scenario's `target` names has no other side.
    """
    own = subject(report) == COMPRESSED
    before, after = (target(report, name) or _ABSENT for name in (TEACHER, subject(report)))
    rows = (*_latency(report, before, after), *_capacities(report, before, after), *_times(before, after))
    only_engine = before.measure is not None and not is_compressed(report.measurements.ledger)
    rows = (*rows, *(row for row in _sizes(before, after) if not only_engine or row[1] != row[2]))
    rows = (*rows, *_quality(report, before, after))
    known = tuple(row for row in rows if set(row[1:3]) != {numbers.NOTHING})
    if not own:
        return Table("The target under load", ("", TARGET), tuple((row[0], row[2]) for row in known))
    if only_engine:
        title = f"What the engine bought: {before.engine} → {after.engine}"
        note = "The recipe is empty: both sides are the same ranker, to the byte."
        return Table(title, ("", before.engine, after.engine, "change"), known, wide=(3,), note=note)
    note = "" if before.measure else "The uncompressed teacher was not load-tested in this run."
    return Table("What compression bought", ("", "teacher", "compressed", "change"), known, wide=(3,), note=note)


def highlights(bought: Table, percentile: str) -> tuple[tuple[Cell, ...], ...]:
    """The rows that matter at a glance: the SLA's latency percentile, capacity, engine time, size and quality."""
    wanted = (f"{percentile} latency", "capacity", "engine time, p50", "size on disk", "NDCG@")
    rows = tuple(row for row in bought.rows if str(row[0]).startswith(wanted))
    return rows if len(bought.columns) > 2 else tuple((label, "", value, "") for label, value in rows)


def _latency(report: Report, before: Target, after: Target) -> list[tuple[str, ...]]:
    asked = [result.name for result in report.verdict.objectives if result.name.endswith("_ms")]
    names = dict.fromkeys(["p50_ms", *asked, "p99_ms"])
    rows = [
        _row(f"{name.removesuffix('_ms')} latency", old, new, numbers.ms, ("lower", "higher"))
        for name in sorted(names, key=lambda name: float(f"0.{name[1:-3]}"))
        for old, new in [(before.latency_ms(name), after.latency_ms(name))]
    ]
    old, new = (side.measure.error_rate if side.measure else math.nan for side in (before, after))
    return [*rows, _row("requests failed or not sent", old, new, numbers.share, ("fewer", "more"))]


def _capacities(report: Report, before: Target, after: Target) -> list[tuple[str, ...]]:
    """The highest rate within the SLA, and what that rests on; nothing where no search was part of the run."""
    old, new = report.capacity(before.name), report.capacity(after.name)
    return [
        ("capacity within the SLA", _capacity.rate(old), _capacity.rate(new), _capacity.change(old, new)),
        ("last rate passed, first failed", _capacity.decided(old), _capacity.decided(new), ""),
    ]


def _times(before: Target, after: Target) -> list[tuple[str, ...]]:
    engines = ("engine", before.engine or numbers.NOTHING, after.engine or numbers.NOTHING, "")
    service = before.server("service_us_p50"), after.server("service_us_p50")
    words = ("faster", "slower")
    return [
        engines,
        _row("engine time, p50", *engine_us(before, after), numbers.us, words),
        _row("service time, p50", *service, numbers.us, words),
    ]


def _sizes(before: Target, after: Target) -> list[tuple[str, ...]]:
    old, new = (side.row.size if side.row else ModelSize() for side in (before, after))
    words = ("smaller", "larger")
    bits = (old.packed_bits_per_node, new.packed_bits_per_node)
    rows = [
        _row("size on disk", before.disk_bytes, after.disk_bytes, numbers.size, words),
        _row("packed size", packed_bytes(old), packed_bytes(new), numbers.size, words),
        _row("packed bits per node", *bits, numbers.figure, ("fewer", "more")),
        _row("resident memory", before.memory_mb, after.memory_mb, numbers.megabytes, ("less", "more")),
    ]
    counts = [("trees", "n_trees"), ("nodes", "n_nodes"), ("leaves", "n_leaves"), ("parameters", "n_parameters")]
    return rows + [
        _row(label, getattr(old, key), getattr(new, key), numbers.count, ("fewer", "more")) for label, key in counts
    ]


def packed_bytes(size: ModelSize) -> float:
    """Bytes of the trees in the fewest bits; NaN where that is not defined. Old records know them per node only."""
    if size.packed_bytes:
        return size.packed_bytes
    return size.packed_bits_per_node * size.n_nodes / 8 if size.n_nodes else math.nan


def _quality(report: Report, before: Target, after: Target) -> list[tuple[str, ...]]:
    label = f"NDCG@{report.measurements.ndcg.k}"
    if after.row is None:
        return []
    quality = after.row.quality
    teacher = before.ndcg if before.row else quality.ndcg + quality.drop
    drop = f"{numbers.quality(quality.drop)} lost, at most {numbers.quality(quality.drop_upper)} with 95 % confidence"
    return [(label, numbers.quality(teacher), numbers.quality(quality.ndcg), drop)]


def _row(label: str, old: float, new: float, shown: numbers.Shown, words: tuple[str, str]) -> tuple[str, ...]:
    return (label, shown(old), shown(new), numbers.ratio(old, new, *words))
