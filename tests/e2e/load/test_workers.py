"""Several load processes share one plan: together they measure what one would, and losing some is survived."""

from __future__ import annotations

import json
import os
import re

import numpy as np
import pytest
from hdrh.histogram import HdrHistogram

from harness.errors import LoadError
from harness.scenario.traffic import Load

LONG_S = 60.0


def test_three_processes_measure_what_one_plan_says(load, url) -> None:
    told = []
    samples, info = load(
        url, url, offered_qps=150, rounds=2, window_s=2.0, arrival="constant",
        cpus=sorted(os.sched_getaffinity(0)), progress=told.append, load=Load(processes=3),
    )  # fmt: skip
    assert info.complete
    assert (info.n_workers, info.n_workers_lost) == (3, 0)
    assert info.n_planned == len(samples) == 4 * 195
    assert samples.ok.all()
    assert np.unique(samples.worker).tolist() == [0, 1, 2]
    load.check_answers(samples)
    for number in range(4):
        block = samples.where(samples.segment == number)
        np.testing.assert_allclose(block.due_s, np.arange(195) / 150)
        assert block.worker.tolist() == [0, 1, 2] * 65
    assert info.loop_lag_ms_max > 0
    assert 0 < info.generator_cpu_share <= info.generator_cpu_share_max < 1.5
    histograms = json.loads((load.out / "histograms.json").read_text())
    for name in samples.targets:
        assert HdrHistogram.decode(histograms[name]).get_total_count() == len(samples.judged(name))
    seconds = json.loads((load.out / "seconds.json").read_text())
    assert seconds["segment"] == [0, 0, 1, 1, 2, 2, 3, 3]
    assert seconds["due"] == [150, 45] * 4
    assert sum(seconds["done"]) == len(samples)
    assert str(told[-1]).startswith("teacher, round 2/2: done, 195 of 195")


def test_lost_workers_neither_hang_the_run_nor_take_the_others_with_them(
    load, url, locust_of, workers, once_told
) -> None:
    """One is killed, one stopped for good."""

    def hit_two() -> None:
        killed, stopped, *_ = workers(locust_of())
        killed.kill()
        stopped.suspend()

    samples, info = load(
        url,
        offered_qps=60,
        window_s=5.0,
        rounds=2,
        arrival="constant",
        progress=once_told(hit_two),
        load=Load(processes=3),
    )
    assert (info.n_workers, info.n_workers_lost, info.complete) == (3, 2, True)
    lost = dict(re.findall(r"load process (\d): lost in segment (\d)", " ".join(info.notes)))
    assert len(lost) == 2
    for number, segment in lost.items():
        assert (samples.segment[samples.worker == int(number) - 1] < int(segment)).all()
    counts = sorted(int((samples.worker == k).sum()) for k in range(3))
    assert counts[2] == info.n_planned / 3
    assert counts[1] < counts[2]  # none, where it had not reported yet
    assert samples.ok.all()


def test_a_killed_master_leaves_no_worker_and_most_of_the_samples(load, url, locust_of, workers, once_told) -> None:
    left = []

    def kill() -> None:
        master = locust_of()
        left.extend(workers(master))
        master.kill()

    with pytest.raises(LoadError, match="what it had measured until then"):
        load(url, window_s=LONG_S, progress=once_told(kill, n=4), load=Load(processes=2))  # by then both have reported
    samples = load.samples()
    assert np.unique(samples.worker).tolist() == [0, 1]
    load.check_answers(samples)
    assert len(left) == 2


def test_stopped_in_the_middle_all_workers_keep_what_they_have(load, url, locust_of, once_told) -> None:
    samples, info = load(
        url,
        window_s=LONG_S,
        arrival="constant",
        progress=once_told(lambda: locust_of().terminate()),
        load=Load(processes=2),
    )
    assert not info.complete
    assert info.n_workers_lost == 0
    last_s = [samples.due_s[samples.worker == k].max() for k in (0, 1)]
    assert abs(last_s[0] - last_s[1]) < 1.5  # both reported when they were told to quit, not three seconds before
    assert samples.ok.all()
