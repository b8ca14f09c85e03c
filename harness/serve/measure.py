"""What the launcher reads off its workers: requests, times, memory and CPU, since a moment it chooses."""

from __future__ import annotations

import numpy as np

from harness.serve import stats
from harness.serve.metrics import resident_bytes
from harness.serve.stats import Board, Counts


class Gauge:
    """Reads a board against a baseline. The workers' counters are never reset, so nothing races with them."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self.reset()

    def reset(self) -> None:
        """Take the figures of this moment as zero."""
        self._from: Counts = self._board.totals()
        self._cpu_from = self._cpu_s()

    def read(self) -> dict[str, float]:
        """Figures since the last reset.

        requests: infer requests answered; errors: those not answered with scores; service_us_*: from the body complete
        to the answer ready to send; engine_us_*: scoring alone (both of scored requests, NaN without any);
        cpu_s: user and system time of all workers; rss_mb: resident memory / 10^6 of the largest worker, now.
        """
        counts = self._board.totals() - self._from
        by_status = counts[stats.FIRST_STATUS : stats.FIRST_STATUS + len(stats.STATUSES)]
        scored = int(by_status[0])
        service, engine = counts[stats.SERVICE_HIST : stats.ENGINE_HIST], counts[stats.ENGINE_HIST :]
        resident = [size for pid in self._board.pids() if (size := resident_bytes(pid)) is not None]
        return {
            "requests": float(by_status.sum()),
            "errors": float(by_status[1:].sum()),
            **_times("service_us", service, int(counts[stats.SERVICE_NS]), scored),
            **_times("engine_us", engine, int(counts[stats.ENGINE_NS]), scored),
            "rss_mb": max(resident, default=np.nan) / 1e6,
            "cpu_s": self._cpu_s() - self._cpu_from,
        }

    def _cpu_s(self) -> float:
        import psutil

        total = 0.0
        for pid in self._board.pids():
            try:
                times = psutil.Process(pid).cpu_times()
            except psutil.NoSuchProcess:
                return float("nan")
            total += times.user + times.system
        return total


def _times(name: str, hist: Counts, sum_ns: int, n: int) -> dict[str, float]:
    return {
        f"{name}_p50": stats.quantile_ns(hist, 0.5) / 1e3,
        f"{name}_p99": stats.quantile_ns(hist, 0.99) / 1e3,
        f"{name}_mean": sum_ns / n / 1e3 if n else float("nan"),
    }
