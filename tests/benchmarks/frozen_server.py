"""A server of 1 ms that freezes for 300 ms every 5 s: what our load test says of it, and what stock Locust says.

    python tests/benchmarks/frozen_server.py
    python tests/benchmarks/frozen_server.py --window-s 120 --json frozen.json

All against one server process in one run, 100 requests per second: ours with Poisson and with constant arrivals, then
stock Locust with two closed-loop `FastHttpUser`s of 50 per second each. Beside the p99 that a tool reports stand two
that it has no part in, both from the log of the server (see `tests/e2e/servers/frozen.py`):

* of its requests: from when the kernel received each of them until the server had answered it;
* of independent ones: of requests that come every 10 ms whatever becomes of those before, led through the freezes that
  the server logged meanwhile. This is what users would have met.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from stock_locust import run_stock_locust

from harness.environment import describe
from harness.judge.percentiles import percentile
from harness.judge.verdict import judge
from harness.load.runner import Target, run_load
from harness.oip import encode_request
from harness.ranking_data import RankingData
from harness.records import Measurements, TargetInfo
from harness.scenario import Scenario, Sla, Traffic

OFFERED_QPS, USERS, LIMIT_MS, SERVICE_S = 100.0, 2, 10.0, 1e-3
N_CANDIDATES, N_FEATURES = 20, 136
SERVER = Path(__file__).parents[1] / "e2e" / "servers" / "frozen.py"
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Said:
    """What a tool reports: p99 in ms, its verdict at the limit, requests it sent from `begin_s` to `end_s`."""

    tool: str
    p99_ms: float
    verdict: str
    n_requests: int
    begin_s: float
    end_s: float


@dataclass(frozen=True)
class Row:
    """That beside the truth, in ms."""

    said: Said
    true_p99_ms: float
    independent_p99_ms: float


class Tools:
    """Our load test and stock Locust, from one core against one URL."""

    def __init__(self, url: str, folder: Path, cpu: int, window_s: float) -> None:
        self._url, self._folder, self._cpus, self._window_s = url, folder, [cpu], window_s
        x = np.random.default_rng(1).normal(size=(100 * N_CANDIDATES, N_FEATURES)).astype(np.float32)
        names = tuple(f"f{i}" for i in range(N_FEATURES))
        self._data = RankingData("made-up", x, np.zeros(len(x), np.int32), np.full(100, N_CANDIDATES), names)

    def ours(self, arrival: str) -> Said:
        """p99 of the latency from the due time, and the judge's verdict."""
        traffic = Traffic(
            arrival=arrival, offered_qps=OFFERED_QPS, n_candidates=N_CANDIDATES, window_s=self._window_s, rounds=1,
            warm_up_s=0,
        )  # fmt: skip
        scenario = Scenario(name="frozen", traffic=traffic, sla=Sla(p99_ms=LIMIT_MS))
        begin_s = time.monotonic()
        target = Target("compressed", self._url)
        samples, info = run_load([target], self._data, traffic, self._folder, self._cpus, lambda _: None)
        measured = Measurements(
            tool_version="", created="", command="", scenario={}, environment={}, load=info, complete=info.complete,
            targets=(TargetInfo(target="compressed", engine="frozen"),),
        )  # fmt: skip
        report = judge(scenario, measured, samples)
        reasons = ", ".join(finding.name for finding in report.verdict.findings if finding.hard)
        verdict = f"{report.verdict.status}{f' ({reasons})' if reasons else ''}"
        p99_ms = percentile(samples.judged("compressed").latency_ms, 0.99)
        return Said(f"harness, {arrival}", p99_ms, verdict, len(samples), begin_s, time.monotonic())

    def locust(self) -> Said:
        """p99 of Locust's own statistics, and the verdict of whoever reads it."""
        body, headers = encode_request(self._data.features[:N_CANDIDATES], "binary")
        begin_s = time.monotonic()
        result = run_stock_locust(
            self._url, body, headers, self._folder, self._cpus,
            users=USERS, window_s=self._window_s, user_qps=OFFERED_QPS / USERS,
        )  # fmt: skip
        verdict = "PASS" if result.p99_ms <= LIMIT_MS else "FAIL"
        tool = f"stock Locust, {USERS} users"
        return Said(tool, result.p99_ms, verdict, result.n_requests, begin_s, time.monotonic())


def beside_the_truth(said: Said, arrived_s: Floats, done_s: Floats, freezes: Floats) -> Row:
    """What the server's log, in order of arrival, says of the requests of one tool."""
    rows = np.flatnonzero((arrived_s >= said.begin_s) & (arrived_s < said.end_s))[-said.n_requests :]
    due_s = np.arange(arrived_s[rows[0]], arrived_s[rows[-1]], 1 / OFFERED_QPS)
    independent_s = led_through(due_s, freezes) - due_s
    return Row(said, percentile((done_s - arrived_s)[rows] * 1e3, 0.99), percentile(independent_s * 1e3, 0.99))


def led_through(due_s: Floats, freezes: Floats) -> Floats:
    """When requests that come at `due_s` (ascending) would be done: served one at a time, not while it is frozen."""
    done_s, free_s = np.empty_like(due_s), -np.inf
    for i, due in enumerate(due_s):
        start_s = max(due, free_s)
        for begin_s, end_s in freezes:
            if begin_s <= start_s < end_s:
                start_s = end_s
        free_s = done_s[i] = start_s + SERVICE_S
    return done_s


def main() -> None:
    """Every tool in turn against one server, then the server's log; prints the table, and writes JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--window-s", type=float, default=60.0, help="seconds per tool (default 60)")
    parser.add_argument("--json", type=Path, help="file for the figures and the machine's description")
    options = parser.parse_args()
    cpus = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory(prefix="frozen-server-") as name:
        folder = Path(name)
        command = [sys.executable, str(SERVER), "--log", str(folder / "log.json")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            try:
                os.sched_setaffinity(server.pid, {cpus[-1]})
                assert server.stdout is not None
                tools = Tools(server.stdout.readline().strip(), folder, cpus[0], options.window_s)
                runs: list[Callable[[], Said]] = [
                    lambda: tools.ours("poisson"), lambda: tools.ours("constant"), tools.locust
                ]  # fmt: skip
                said = [run() for run in runs]
            finally:
                server.terminate()
        log = json.loads((folder / "log.json").read_text(encoding="utf-8"))
    order = np.argsort(log["arrived"])
    arrived_s, done_s = (np.array(log[key])[order] for key in ("arrived", "done"))
    rows = [beside_the_truth(one, arrived_s, done_s, np.array(log["freezes"])) for one in said]
    print(f"{'p99, ms':26}{'reported':>10}{'true, of its requests':>24}{'of independent ones':>22}  at {LIMIT_MS:g} ms")
    for row in rows:
        figures = f"{row.said.p99_ms:10.1f}{row.true_p99_ms:24.1f}{row.independent_p99_ms:22.1f}"
        print(f"{row.said.tool:26}{figures}  {row.said.verdict}")
    if options.json:
        content = {"environment": describe(), "rows": [asdict(row) for row in rows]}
        options.json.write_text(json.dumps(content, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
