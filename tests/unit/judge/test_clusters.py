import numpy as np
import pytest
from queues import Queue, exponential, samples_of

from harness.judge.clusters import clusters, cycles, slowest
from harness.samples import UNSENT, Samples


def cycle_of(due_s, done_s, **changes):
    samples = samples_of(np.array(due_s, dtype=float), np.array(done_s, dtype=float))
    return cycles(Samples(**(vars(samples) | changes))).number.tolist()


def test_a_request_that_finds_the_server_empty_begins_a_cycle():
    assert cycle_of([0, 1, 2, 5, 6], [3, 4, 4.5, 5.5, 9]) == [0, 0, 0, 1, 2]


def test_a_segment_begins_a_cycle_and_order_does_not_matter():
    due, done, segment = [0, 1, 0, 1], [9, 9, 9, 9], np.array([0, 0, 1, 1], dtype=np.int16)
    assert cycle_of(due, done, segment=segment) == [0, 0, 1, 1]
    assert cycle_of(due[::-1], done, segment=segment[::-1]) == [1, 1, 0, 0]


def test_no_cycle_begins_right_after_a_request_without_an_answer():
    status = np.array([200, 500, 500, UNSENT, 200, 200], dtype=np.int16)
    assert cycle_of([0, 1, 2, 3, 4, 5], [0.5, np.nan, np.nan, np.nan, 4.5, 5.5], status=status) == [0, 1, 1, 1, 1, 2]


def test_a_server_that_is_never_empty_still_has_cycles():
    due, done = next(Queue("M/M/64", 64, 200.0, exponential(0.256)).runs(1, 60, seed=0))  # 51 in flight on average
    number = cycles(samples_of(due, done)).number
    assert 20 < number[-1] < due.size / 10


def test_a_server_that_falls_behind_for_good_is_cut_into_pieces_but_an_excursion_is_not():
    due = np.arange(1000) / 100
    overloaded = cycles(samples_of(due, 2 * due + 0.02))
    assert overloaded.number[-1] < 25
    assert overloaded.piece[-1] >= 49
    stalled = cycles(samples_of(due, np.where((due >= 5) & (due < 6), 6.0, due + 0.001)))
    assert np.array_equal(stalled.number, stalled.piece)


def test_clusters_are_counted_by_cycle():
    found = clusters(np.array([0, 0, 0, 1, 2, 2]), np.array([True, True, False, False, True, False]))
    assert (found.n, found.total, found.mean) == (2, 3, 1.5)
    assert found.dispersion == pytest.approx(0.5 / 1.5**2)
    assert clusters(np.array([0, 1]), np.zeros(2, dtype=bool)).n == 0


def test_the_slowest_are_those_over_an_observed_level():
    latency = np.array([1.0, 5, 3, 2, 4, np.inf, 1, 1, 1, 1])
    assert np.flatnonzero(slowest(latency, 0.2)).tolist() == [1, 5]
    assert not slowest(np.ones(50), 0.1).any()
