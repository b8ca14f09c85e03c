import os

import numpy as np

from harness.pipeline.engine_times import candidate_blocks, engine_times_us
from harness.scenario.traffic import DlrmCandidates


class Recorder:
    def __init__(self, log, name):
        self.log, self.name, self.info = log, name, {}

    def score(self, x):
        self.log.append((self.name, x.shape, float(np.nansum(x)), os.sched_getaffinity(0)))
        return x[:, 0]


def test_scorers_take_turns_on_the_same_lists_pinned_and_the_affinity_is_restored(splits):
    log = []
    before = os.sched_getaffinity(0)
    cpu = min(before)
    times = engine_times_us([Recorder(log, "a"), Recorder(log, "b")], splits.test, 7, [cpu])
    assert os.sched_getaffinity(0) == before
    measured = log[6:]
    assert len(measured) >= 40
    orders = [(pair[0][0], pair[1][0]) for pair in zip(measured[::2], measured[1::2], strict=True)]
    assert set(orders) == {("a", "b"), ("b", "a")}
    for (_, shape, total, cpus), (_, _, other, _) in zip(measured[::2], measured[1::2], strict=True):
        assert (shape, total, cpus) == ((7, splits.test.n_features), other, {cpu})
    assert all(p99 >= median > 0 for median, p99 in times)


def test_lists_follow_the_scenario_and_rotate(splits):
    fixed = candidate_blocks(splits.test, 5, 0)
    assert not np.array_equal(next(fixed), next(fixed), equal_nan=True)
    natural = candidate_blocks(splits.test, None, 0)
    assert {next(natural).shape[0] for _ in range(200)} <= set(splits.test.group_sizes.tolist())


def test_lists_have_the_drawn_lengths(splits):
    drawn = candidate_blocks(splits.test, DlrmCandidates(kind="dlrm"), 0)
    lengths = [next(drawn).shape[0] for _ in range(20)]
    assert sorted(lengths) == [100] * 2 + [200] * 12 + [300] * 2 + [400, 500, 600, 700]
