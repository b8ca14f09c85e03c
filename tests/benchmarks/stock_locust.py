"""Locust as its users run it: closed-loop `FastHttpUser`s, and the figures that its own statistics give."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

LOCUSTFILE = """
import json, os, pathlib
from locust import FastHttpUser, constant, constant_throughput, task

TEST = json.loads(os.environ["STOCK_TEST"])
BODY = pathlib.Path(TEST["body"]).read_bytes()

class Stock(FastHttpUser):
    wait_time = constant_throughput(TEST["user_qps"]) if TEST["user_qps"] else constant(0)

    @task
    def rank(self):
        self.client.post(TEST["path"], data=BODY, headers=TEST["headers"])
"""


@dataclass(frozen=True)
class StockResult:
    """What Locust printed (qps, percentiles in ms, failures), and the share of its core that it used."""

    qps: float
    p50_ms: float
    p99_ms: float
    n_requests: int
    n_failed: int
    cpu_share: float


def run_stock_locust(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    folder: Path,
    cpus: Sequence[int],
    *,
    users: int,
    window_s: float,
    user_qps: float = 0.0,
) -> StockResult:
    """`users` closed loops of at most `user_qps` each (0: without pause) for `window_s`, from the cores `cpus`."""
    parts = urlsplit(url)
    (folder / "stock.py").write_text(LOCUSTFILE, encoding="utf-8")
    (folder / "body").write_bytes(body)
    test = {"path": parts.path, "body": str(folder / "body"), "headers": dict(headers), "user_qps": user_qps}
    command = [
        sys.executable, "-m", "locust", "-f", "stock.py", "--headless", "--only-summary", "--csv", "stock",
        "--host", f"{parts.scheme}://{parts.netloc}", "-u", str(users), "-r", str(users), "-t", f"{window_s:g}s",
    ]  # fmt: skip
    began_s = time.monotonic()
    with (folder / "stock.log").open("wb") as log:
        environment = os.environ | {"STOCK_TEST": json.dumps(test), "HOME": str(folder)}
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
        os.sched_setaffinity(process.pid, cpus)
        _, _, usage = os.wait4(process.pid, 0)
    wall_s = time.monotonic() - began_s
    with (folder / "stock_stats.csv").open(encoding="utf-8", newline="") as file:
        total = next(row for row in csv.DictReader(file) if row["Name"] == "Aggregated")
    return StockResult(
        qps=float(total["Requests/s"]),
        p50_ms=float(total["50%"]),
        p99_ms=float(total["99%"]),
        n_requests=int(total["Request Count"]),
        n_failed=int(total["Failure Count"]),
        cpu_share=(usage.ru_utime + usage.ru_stime) / wall_s,
    )
