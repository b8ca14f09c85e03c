"""The capacity of a single exponential server, searched over HTTP, against queueing theory.

    python tests/benchmarks/capacity_mm1.py
    python tests/benchmarks/capacity_mm1.py --mean-ms 2 --p99-ms 50 --budget-s 150

In an M/M/1 queue the time in the system is exponential with rate mu - lambda, so its p99 is ln(100) / (mu - lambda):
the capacity is mu - ln(100) / p99. The service rate mu is that of the whole server, HTTP included: how many answers per
second it gave while it was overloaded. Exit code 0 where the search is within 10 % of theory, in under 3 minutes.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
import time
from pathlib import Path

from harness.cache import Cache, default_cache_dir
from harness.pipeline import Settings, run
from harness.pipeline.capacity import find_capacity
from harness.samples import Samples
from harness.scenario import Scenario

TOLERANCE = 0.10
LONGEST_S = 180.0


def scenario_of(mean_ms: float, p99_ms: float) -> Scenario:
    """A clock in place of a model: exponential service times of a declared mean."""
    return Scenario.model_validate(
        {
            "name": "capacity-mm1",
            "data": {"kind": "synthetic_feed", "train_groups": 150, "valid_groups": 40, "test_groups": 60},
            "ranker": {"kind": "lightgbm", "n_trees": 10, "n_leaves": 8},
            "engine": {"kind": "fake", "service": "exponential", "mean_ms": mean_ms},
            "traffic": {"offered_qps": 100, "n_candidates": 5, "warm_up_s": 1},
            "sla": {"p99_ms": p99_ms},
        }
    )


def service_rate(scenario: Scenario, settings: Settings) -> float:
    """Answers per second that the server gives while it is offered twice what it could take."""
    mean_ms = scenario.engine.options["mean_ms"]
    overload = {"offered_qps": 2e3 / mean_ms, "window_s": 8, "rounds": 1, "teacher": False}
    run_dir, _ = run(
        scenario.model_copy(update={"traffic": scenario.traffic.model_copy(update=overload)}), settings, say
    )
    samples = Samples.load(run_dir.path / "samples.npz")
    start_s, end_s = scenario.traffic.warm_up_s, float(samples.due_s.max())
    inside = samples.ok & (samples.done_s > start_s) & (samples.done_s <= end_s)
    return float(inside.sum()) / (end_s - start_s)


def say(line: str) -> None:
    """Progress."""
    print(line, file=sys.stderr)


def main() -> int:
    """Search, compute, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mean-ms", type=float, default=2.0, help="mean service time (default 2)")
    parser.add_argument("--p99-ms", type=float, default=50.0, help="the SLA (default 50)")
    parser.add_argument("--budget-s", type=float, default=150.0, help="seconds of load tests (default 150)")
    asked = parser.parse_args()
    scenario = scenario_of(asked.mean_ms, asked.p99_ms)
    with tempfile.TemporaryDirectory(prefix="capacity-mm1-") as out:
        started = time.perf_counter()
        settings = Settings(Path(out), Cache(default_cache_dir()))
        _, found = find_capacity(scenario, settings, asked.budget_s, say)
        took_s = time.perf_counter() - started
        mu = service_rate(scenario, settings)
    for point in sorted(found.points, key=lambda point: point.offered_qps):
        p99_ms = point.measure.latency_ms["p99"]
        theory_ms = 1e3 * math.log(100) / (mu - point.offered_qps) if point.offered_qps < mu else math.inf
        print(f"{point.offered_qps:8.1f} qps {point.status:13} p99 {p99_ms:9.1f} ms, theory {theory_ms:9.1f} ms")
    theory_qps = mu - math.log(100) / (asked.p99_ms / 1e3)
    error = found.estimate_qps / theory_qps - 1
    print(f"service rate: {mu:.1f} per second ({1e3 / mu:.2f} ms a request, {asked.mean_ms:g} ms of them declared)")
    print(f"capacity at p99 {asked.p99_ms:g} ms: theory {theory_qps:.1f} qps, measured {found.estimate_qps:.1f} qps")
    print(f"off by {error:+.1%}; between {found.lower_qps:.1f} (passed) and {found.upper_qps:.1f} (failed)")
    print(f"knee: theory {mu / 2:.1f} qps, measured {found.knee_qps:.1f} qps; took {took_s:.0f} s")
    return 0 if abs(error) <= TOLERANCE and took_s <= LONGEST_S else 1


if __name__ == "__main__":
    sys.exit(main())
