"""The counters of all workers as Prometheus text."""

from __future__ import annotations

from collections.abc import Iterator

from harness.serve import stats
from harness.serve.stats import Board, Counts

_EDGES = range(13, 34)
"""Powers of two in nanoseconds (8 us to 8.6 s): edges that fall exactly between buckets."""


def render(board: Board) -> bytes:
    """Text exposition format 0.0.4: infer requests by status, service and engine time, memory of each worker."""
    totals = board.totals()
    lines = ["# HELP harness_requests_total Infer requests by HTTP status.", "# TYPE harness_requests_total counter"]
    for i, status in enumerate(stats.STATUSES):
        lines.append(f'harness_requests_total{{status="{status}"}} {totals[stats.FIRST_STATUS + i]}')
    service = totals[stats.SERVICE_HIST : stats.ENGINE_HIST]
    lines += _histogram("service", "Body complete to answer ready.", service, totals[stats.SERVICE_NS])
    lines += _histogram("engine", "Scoring alone.", totals[stats.ENGINE_HIST :], totals[stats.ENGINE_NS])
    lines += ["# HELP harness_resident_memory_bytes Memory of a worker.", "# TYPE harness_resident_memory_bytes gauge"]
    for pid in board.pids():
        rss = resident_bytes(pid)
        if rss is not None:
            lines.append(f'harness_resident_memory_bytes{{pid="{pid}"}} {rss}')
    return ("\n".join(lines) + "\n").encode()


def resident_bytes(pid: int) -> int | None:
    """Resident memory of a process; None where it is gone."""
    import psutil

    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.NoSuchProcess:
        return None


def _histogram(name: str, text: str, hist: Counts, sum_ns: int) -> Iterator[str]:
    yield f"# HELP harness_{name}_seconds {text}"
    yield f"# TYPE harness_{name}_seconds histogram"
    for power in _EDGES:
        below = hist[: stats.bucket_of(1 << power)].sum()
        yield f'harness_{name}_seconds_bucket{{le="{(1 << power) / 1e9}"}} {below}'
    yield f'harness_{name}_seconds_bucket{{le="+Inf"}} {hist.sum()}'
    yield f"harness_{name}_seconds_sum {sum_ns / 1e9}"
    yield f"harness_{name}_seconds_count {hist.sum()}"
