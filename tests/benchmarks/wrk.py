"""wrk, the closed-loop generator in C (Debian package `wrk`), and the figures that it prints."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_UNITS_MS = {"us": 1e-3, "ms": 1.0, "s": 1e3}


@dataclass(frozen=True)
class WrkResult:
    """What wrk printed: answers per second, percentiles in ms, answers other than 2xx and 3xx, socket errors."""

    qps: float
    p50_ms: float
    p99_ms: float
    n_failed: int


def run_wrk(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    folder: Path,
    cpus: Sequence[int],
    *,
    connections: int,
    window_s: float,
) -> WrkResult:
    """One thread keeps `connections` busy with POSTs of `body` for `window_s`, from the cores `cpus`."""
    script, file = folder / "post.lua", folder / "wrk-body"
    file.write_bytes(body)
    lines = [f"wrk.headers[{json.dumps(name)}] = {json.dumps(value)}" for name, value in headers.items()]
    lines += ['wrk.method = "POST"', f'wrk.body = io.open({json.dumps(str(file))}, "rb"):read("*a")']
    script.write_text("\n".join(lines), encoding="utf-8")
    command = ["wrk", "-t1", f"-c{connections}", f"-d{window_s:.0f}s", "--latency", "-s", str(script), url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        os.sched_setaffinity(process.pid, cpus)
        printed, _ = process.communicate()
    if process.returncode:
        raise SystemExit(f"wrk ended with exit code {process.returncode}:\n{printed}")
    socket_errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", printed)
    others = re.search(r"Non-2xx or 3xx responses: (\d+)", printed)
    return WrkResult(
        qps=float(_printed(r"Requests/sec:\s+([\d.]+)", printed)[1]),
        p50_ms=_ms(_printed(r"50%\s+([\d.]+)(us|ms|s)\b", printed)),
        p99_ms=_ms(_printed(r"99%\s+([\d.]+)(us|ms|s)\b", printed)),
        n_failed=sum(int(number) for found in (socket_errors, others) if found for number in found.groups()),
    )


def _printed(pattern: str, text: str) -> re.Match[str]:
    found = re.search(pattern, text)
    if found is None:
        raise SystemExit(f"wrk did not print {pattern!r}, but:\n{text}")
    return found


def _ms(found: re.Match[str]) -> float:
    return float(found[1]) * _UNITS_MS[found[2]]
