"""A Pareto front as a table."""

from __future__ import annotations

import math

from harness.report import _numbers as numbers
from harness.report._table import Table
from harness.suite import Front


def table(front: Front) -> Table:
    """Fastest first; `–` marks those on the front, the others name what beats them."""
    rows = tuple(
        (
            point.name,
            numbers.quality(point.ndcg_drop),
            numbers.quality(point.drop_upper),
            numbers.us(point.time_us) if math.isfinite(point.time_us) else numbers.ms(point.time_us),
            numbers.size(point.disk_bytes),
            f"dominated by {', '.join(point.dominated_by)}" if point.dominated_by else "on the front",
        )
        for point in sorted(front.points, key=lambda point: point.time_us)
    )
    columns = ("scenario", f"NDCG@{front.ndcg.k} lost", "at most", front.time, "size", "beside the others")
    note = (
        f"One {front.teacher} teacher ({front.teacher_digest[:12]}), the same data, traffic and machine. Dominated: "
        "another run is nowhere worse in NDCG lost, time and size, and somewhere better, by the figures as measured; "
        "differences within the bounds are not decided by that."
        + (" Engine times of different runs were not interleaved." if front.time.startswith("engine") else "")
    )
    return Table("Pareto front: quality, time, size", columns, rows, wide=(5,), note=note)
