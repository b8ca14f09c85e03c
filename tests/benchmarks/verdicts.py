"""How often the verdict on a percentile is wrong, on queues whose tail is known.

Each queue is simulated for 60 s at 200 requests per second, many times over, with a p99 limit that makes the true share
of requests over it a given multiple of the 1 % that p99 allows. Below 1 a FAIL is false, above 1 a PASS is false, and
at 1 either. `--extend` simulates runs that go on by themselves from 60 s to 300 s instead (`traffic.extend_to_s`).

    python tests/benchmarks/verdicts.py [--runs 1000] [--extend] [--out results/evidence/verdicts]
"""

from __future__ import annotations

import argparse
import json
import math
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from queues import Queue, exponential, lognormal, samples_of, stalling

from harness.judge.clusters import cycles
from harness.judge.looks import looks
from harness.judge.shares import reference, share_of
from harness.scenario import Traffic

QPS, WINDOW_S, END_S, ALLOWED = 200.0, 60.0, 300.0, 0.01
MULTIPLES = (0.25, 0.5, 0.8, 1.0, 1.25, 2.0, 4.0)
UTILISATIONS = (0.5, 0.7, 0.85)
STALL_S = {0.5: 0.05, 0.7: 0.06, 0.85: 0.2}
"""Length of a stall by utilisation: long enough to stand out from the waiting that there is without it."""
_TRUTH_RUNS = 2000


@dataclass(frozen=True)
class Case:
    """A queue and, per multiple, the limit (s) over which that multiple of the allowed share lies."""

    queue: Queue
    multiple: float
    limit_s: float


def cases(name: str, utilisation: float) -> list[Case]:
    """One queue of the table at every multiple."""
    if name == "stall":
        return [_stall(utilisation, multiple) for multiple in MULTIPLES]
    servers = 4 if name == "M/M/4" else 1
    mean_s = utilisation * servers / QPS
    draw = exponential(mean_s) if name.startswith("M/M") else lognormal(mean_s, float(name.rpartition(" ")[2]))
    queue = Queue(f"{name}", servers, QPS, draw)
    tail = np.sort(queue.latencies_s(_TRUTH_RUNS, WINDOW_S, seed=1))
    return [Case(queue, m, float(tail[math.ceil((1 - m * ALLOWED) * tail.size) - 1])) for m in MULTIPLES]


def _stall(utilisation: float, multiple: float) -> Case:
    """A server that stalls now and then: how often is what makes the multiple. The limit is half a stall."""
    stall_s = STALL_S[utilisation]

    def queue(share: float) -> Queue:
        base_s = (utilisation / QPS - share * stall_s) / (1 - share)
        return Queue(f"stall of {stall_s * 1e3:.0f} ms", 1, QPS, stalling(base_s, stall_s, share))

    low, high = 0.0, utilisation / QPS / stall_s
    for _ in range(12):
        middle = (low + high) / 2
        over = float((queue(middle).latencies_s(300, WINDOW_S, seed=1) > stall_s / 2).mean())
        low, high = (middle, high) if over < multiple * ALLOWED else (low, middle)
    return Case(queue((low + high) / 2), multiple, stall_s / 2)


def rates(case: Case, n_runs: int, *, extend: bool) -> dict[str, float]:
    """Shares of runs that end in PASS and in FAIL, the mean judged time, and the mean effective sample size."""
    planned = looks(Traffic(window_s=WINDOW_S, extend_to_s=END_S if extend else None))
    n_pass = n_fail = 0
    time_s = size = 0.0
    for due_s, done_s in case.queue.runs(n_runs, planned[-1].window_s, seed=2):
        for look in planned:
            seen = due_s < look.window_s
            samples = samples_of(due_s[seen], done_s[seen])
            cycle, latency = cycles(samples), samples.latency_ms
            share = share_of(latency > case.limit_s * 1e3, cycle, reference(latency, cycle, ALLOWED), look.alpha)
            if share.upper <= ALLOWED or share.lower > ALLOWED:
                break
        n_pass += share.upper <= ALLOWED
        n_fail += share.lower > ALLOWED
        time_s += look.window_s
        size += share.n_effective
    return {"pass": n_pass / n_runs, "fail": n_fail / n_runs, "time_s": time_s / n_runs, "n_effective": size / n_runs}


def measured(name: str, utilisation: float, n_runs: int, *, extend: bool) -> list[dict[str, object]]:
    """The rows of one queue."""
    rows = []
    for case in cases(name, utilisation):
        if extend and case.multiple not in (0.25, 0.5, 1.0, 2.0):
            continue
        known = {
            "queue": case.queue.name,
            "utilisation": utilisation,
            "multiple": case.multiple,
            "limit_ms": case.limit_s * 1e3,
        }
        rows.append(known | rates(case, n_runs, extend=extend))
    return rows


def table(rows: list[dict[str, object]], n_runs: int) -> str:
    """Markdown: one line per queue, PASS and FAIL rates per multiple."""
    multiples = sorted({float(r["multiple"]) for r in rows})
    lines = [
        "| queue | utilisation | effective samples | " + " | ".join(f"{m:g}x" for m in multiples) + " |",
        "|---" * (3 + len(multiples)) + "|",
    ]
    for key in dict.fromkeys((r["queue"], r["utilisation"]) for r in rows):
        own = [r for r in rows if (r["queue"], r["utilisation"]) == key]
        cells = [f"{r['pass']:.1%} / {r['fail']:.1%}" for r in own]
        lines.append(f"| {key[0]} | {key[1]:.0%} | {own[-1]['n_effective']:.0f} | " + " | ".join(cells) + " |")
    false = [
        float(r[side])
        for r in rows
        for side, wrong in (("pass", r["multiple"] >= 1), ("fail", r["multiple"] <= 1))
        if wrong
    ]
    error = 2 * math.sqrt(0.05 * 0.95 / n_runs)
    lines += [
        "",
        f"Highest false rate {max(false):.1%} (nominal 5 %, two standard errors of the simulation {error:.1%}).",
    ]
    return "\n".join(lines)


def main() -> None:
    """Simulate, print the table, keep it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--extend", action="store_true")
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    names = (
        ("M/M/1", "M/M/4")
        if chosen.extend
        else ("M/M/1", "M/G/1 lognormal, cv 0.5", "M/G/1 lognormal, cv 2", "M/M/4", "stall")
    )
    work = [(name, u) for name in names for u in UTILISATIONS]
    with ProcessPoolExecutor(2) as pool:
        one = partial(measured, n_runs=chosen.runs, extend=chosen.extend)
        rows = [row for own in pool.map(one, *zip(*work, strict=True)) for row in own]
    text = table(rows, chosen.runs)
    print(text)
    if chosen.out:
        chosen.out.with_suffix(".md").write_text(f"{__doc__.split(chr(10))[0]}\n\n{text}\n", encoding="utf-8")
        chosen.out.with_suffix(".json").write_text(json.dumps(rows, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
