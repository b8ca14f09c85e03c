"""What the load process tells while it runs."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from harness.events import LoadProgress
from harness.load.load_plan import PROGRESS
from harness.load.progress import QUANTILES, ProgressFile, RunningHistogram
from harness.load.recording import ROW
from harness.load.schedule import Segment


def test_percentiles_are_those_of_the_latencies_to_one_percent():
    latency_ms = np.random.default_rng(0).lognormal(1, 1.5, 20_000)
    histogram = RunningHistogram()
    for part in np.split(latency_ms, 8):
        histogram.add(part)
    found = histogram.percentiles()
    for name, q in QUANTILES.items():
        assert found[name] == pytest.approx(np.quantile(latency_ms, q, method="inverted_cdf"), rel=0.0101), name


def test_a_failed_request_is_over_every_limit():
    histogram = RunningHistogram()
    assert histogram.percentiles() == {}
    histogram.add(np.array([1.0] * 97 + [np.inf] * 3))
    found = histogram.percentiles()
    assert found["p95"] == pytest.approx(1.0, rel=0.01)
    assert found["p99"] is None


def test_warm_up_is_told_and_not_counted(tmp_path):
    target = SimpleNamespace(name="compressed")
    plan = SimpleNamespace(out=tmp_path, targets=[target], first_round=0, traffic=SimpleNamespace(rounds=1))
    none = np.empty(0)
    progress = ProgressFile(plan, [Segment(0, 0, 1.0, 3.0, none, none)])
    progress.say(0)
    for due_s, latency_s, status in [(0.5, 9.0, 200), (2.0, 0.010, 200), (2.5, 0.0, 500)]:
        rows = np.zeros(1, ROW)
        rows["due_s"], rows["done_s"], rows["status"] = due_s, due_s + latency_s, status
        progress.add(rows)
        progress.say(0)
    progress.say_done(0)
    told = [LoadProgress(**json.loads(line)) for line in (tmp_path / PROGRESS).read_text().splitlines()]
    assert [(event.passed_s, event.n_due, event.n_ok, event.done) for event in told] == [
        (0.5, 1, 1, False), (2.0, 2, 2, False), (2.5, 3, 2, False), (3.0, 3, 2, True),
    ]  # fmt: skip
    assert told[0].latency_ms == {}
    assert told[1].latency_ms["p99"] == pytest.approx(10, rel=0.01)
    assert told[2].latency_ms["p99"] is None
