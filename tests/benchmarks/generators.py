"""How honest and how fast is the load generator? Beside wrk and stock Locust, against one server that does nothing.

    python tests/benchmarks/generators.py
    python tests/benchmarks/generators.py --repeats 5 --window-s 10 --json generators.json

The server is pinned to one core and the generators, in turn, to another. All send the same size of body: 100 candidates
of 136 float32 features, binary (54 kB). Ours is open-loop: first at 100, 200 and 500 requests per second, then at a
rising series of rates, of which the last honest one counts: send lag p99 at most 0.5 ms, nothing failed or unsent, less
than 80 % of a core used in every second. wrk (Debian package `wrk`) and Locust's `FastHttpUser` are closed-loop: they
have no send lag, and of each the concurrency that gets most answers counts. The table shows medians over the repeats,
with the least and the most. All figures of a generator are its own; ours are latencies from the due time.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
from stock_locust import run_stock_locust
from wrk import run_wrk

from harness.environment import describe
from harness.judge.percentiles import percentile
from harness.load.runner import Target, run_load
from harness.oip import encode_request
from harness.ranking_data import RankingData
from harness.samples import UNSENT
from harness.scenario import Traffic
from harness.serve.null_server import null_server

N_CANDIDATES, N_FEATURES, N_LISTS = 100, 136, 256
RATES_QPS = (100, 200, 500)
SERIES_QPS = range(750, 6001, 250)
MOST_LAG_MS, MOST_CPU_SHARE = 0.5, 0.8
TRIES = 3
CONCURRENCIES = (1, 4, 16)
COLUMNS = ("qps", "lag_p50_ms", "lag_p99_ms", "p50_ms", "p99_ms", "cpu_share_max")
Figures = dict[str, float]


def candidates() -> RankingData:
    """Made-up query groups of the size that is sent."""
    n_rows = N_LISTS * N_CANDIDATES
    x = np.random.default_rng(1).normal(size=(n_rows, N_FEATURES)).astype(np.float32)
    names = tuple(f"f{i}" for i in range(N_FEATURES))
    return RankingData("made-up", x, np.zeros(n_rows, np.int32), np.full(N_LISTS, N_CANDIDATES, np.int64), names)


class Bench:
    """The generators, all against one server and from one core."""

    def __init__(self, url: str, folder: Path, cpu: int, window_s: float) -> None:
        self._url, self._folder, self._cpus, self._window_s = url, folder, [cpu], window_s
        self._data = candidates()
        self._request = encode_request(self._data.features[:N_CANDIDATES], "binary")

    def ours(self, offered_qps: float) -> Figures:
        """One open-loop run at this rate."""
        traffic = Traffic(
            offered_qps=offered_qps, n_candidates=N_CANDIDATES, warm_up_s=1, window_s=self._window_s, rounds=1
        )  # fmt: skip
        target = Target("compressed", self._url)
        samples, info = run_load([target], self._data, traffic, self._folder, self._cpus, lambda _: None)
        judged = samples.judged("compressed")
        lag_ms = judged.send_lag_ms[judged.status != UNSENT]
        return {
            "qps": offered_qps,
            "lag_p50_ms": percentile(lag_ms, 0.5),
            "lag_p99_ms": percentile(lag_ms, 0.99),
            "p50_ms": percentile(judged.latency_ms, 0.5),
            "p99_ms": percentile(judged.latency_ms, 0.99),
            "n_failed": int((~samples.ok).sum()),
            "cpu_share_max": info.generator_cpu_share_max,
        }

    def highest_honest(self) -> Figures:
        """The last honest run of the series, which ends at the rate where no try was honest."""
        best: Figures = dict.fromkeys(COLUMNS, float("nan")) | {"qps": 0.0}
        for offered_qps in SERIES_QPS:
            tries = (self.ours(offered_qps) for _ in range(TRIES))
            honest = next((run for run in tries if is_honest(run)), None)
            if honest is None:
                return best
            best = honest
        return best

    def wrk(self) -> Figures:
        """The best of wrk."""
        return self._best(lambda n, **where: run_wrk(*where.values(), connections=n, window_s=self._window_s))

    def locust(self) -> Figures:
        """The best of stock Locust."""
        return self._best(lambda n, **where: run_stock_locust(*where.values(), users=n, window_s=self._window_s))

    def _best(self, run: Callable[..., object]) -> Figures:
        body, headers = self._request
        where = {"url": self._url, "body": body, "headers": headers, "folder": self._folder, "cpus": self._cpus}
        results = [asdict(run(n, **where)) | {"connections": n} for n in CONCURRENCIES]
        return max(results, key=lambda figures: figures["qps"])


def is_honest(run: Figures) -> bool:
    """Whether this run says something of the server rather than of the generator."""
    return run["lag_p99_ms"] <= MOST_LAG_MS and not run["n_failed"] and run["cpu_share_max"] < MOST_CPU_SHARE


def spread(runs: list[Figures]) -> dict[str, tuple[float, float, float]]:
    """Median, least and most of every figure over the repeats."""
    values = {name: [run[name] for run in runs] for name in runs[0]}
    return {name: (statistics.median(v), min(v), max(v)) for name, v in values.items()}


def table(summary: dict[str, dict[str, tuple[float, float, float]]]) -> str:
    """One line per generator: the median and, in brackets, least and most."""
    lines = ["".ljust(26) + "".join(name.rjust(24) for name in COLUMNS)]
    for generator, figures in summary.items():
        cells = ("{:.4g} ({:.4g}-{:.4g})".format(*figures[name]) if name in figures else "" for name in COLUMNS)
        lines.append(generator.ljust(26) + "".join(cell.rjust(24) for cell in cells))
    return "\n".join(lines)


def main() -> None:
    """All generators in turn, as often as asked; prints the table, and writes JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--window-s", type=float, default=5.0, help="judged seconds of each run (default 5)")
    parser.add_argument("--json", type=Path, help="file for every figure of every run")
    options = parser.parse_args()
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        raise SystemExit("needs 2 cores: one for the server and one for the generators")
    runs: dict[str, list[Figures]] = {}
    with tempfile.TemporaryDirectory(prefix="generators-") as folder, null_server(cpus[-1:]) as server:
        bench = Bench(server.url, Path(folder), cpus[0], options.window_s)
        measures: dict[str, Callable[[], Figures]] = {
            f"ours at {rate}/s": lambda rate=rate: bench.ours(rate) for rate in RATES_QPS
        }
        measures["ours, highest honest rate"] = bench.highest_honest
        if shutil.which("wrk"):
            measures["wrk, closed loop"] = bench.wrk
        else:
            print("wrk is left out: there is no such program (Debian: apt-get install wrk)")
        measures["stock Locust, closed loop"] = bench.locust
        for repeat in range(options.repeats):
            for name, measure in measures.items():
                print(f"{repeat + 1}/{options.repeats} {name}", file=sys.stderr)
                runs.setdefault(name, []).append(measure())
    summary = {name: spread(figures) for name, figures in runs.items()}
    print(table(summary))
    if options.json:
        content = {"environment": describe(), "summary": summary, "runs": runs}
        options.json.write_text(json.dumps(content, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
