import math

import numpy as np
import pytest
from queues import Queue, exponential, samples_of

from harness.judge.clusters import cycles
from harness.judge.percentiles import Percentile, percentile
from harness.samples import UNSENT, Samples


def run_of(utilisation=0.5, window_s=60.0, seed=1):
    due, done = next(Queue("M/M/1", 1, 200.0, exponential(utilisation / 200)).runs(1, window_s, seed))
    return samples_of(due, done)


def percentile_of(samples, q, alpha):
    return Percentile.of(samples, cycles(samples), q, alpha)


def test_a_percentile_is_an_observed_value_and_counts_infinities():
    values = np.array([1.0, 2.0, 3.0, np.inf])
    assert [percentile(values, q) for q in (0.25, 0.5, 0.75, 0.99)] == [1, 2, 3, np.inf]
    assert percentile(np.arange(1.0, 101.0), 0.99) == 99
    assert np.isnan(percentile(np.zeros(0), 0.5))


@pytest.mark.parametrize("q", [0.5, 0.95, 0.99])
def test_bounds_are_the_limits_at_which_the_verdict_turns(q):
    found = percentile_of(run_of(), q, 0.05)
    low, high = found.bounds_ms()
    truth = -math.log(1 - q) / 200 * 1e3  # an M/M/1 queue at half its capacity of 400 per second
    assert low < truth < high
    assert found.over(high).upper <= found.allowed < found.over(high * 0.999).upper
    assert found.over(low * 0.999).lower > found.allowed >= found.over(low).lower


def test_bounds_are_open_where_samples_are_few():
    assert percentile_of(run_of(window_s=0.5), 0.99, 0.05).bounds_ms()[1] == math.inf


def test_further_windows_of_the_same_decide():
    samples = run_of(window_s=15)
    limit_ms = -math.log(0.004) / 200 * 1e3  # 0.4 % of the requests are over it
    found = percentile_of(samples, 0.99, 0.05)
    assert found.over(limit_ms).upper > 0.01
    further = found.further_windows(limit_ms)
    assert 0 < further < 20
    assert percentile_of(repeated(samples, math.ceil(further) + 1), 0.99, 0.05).over(limit_ms).upper <= 0.01
    assert found.further_windows(percentile(samples.latency_ms, 0.99)) == math.inf


def repeated(samples, times):
    """The same window again and again, as the segments of one run."""
    columns = {name: np.tile(column, times) for name, column in vars(samples).items() if name != "targets"}
    segment = np.repeat(np.arange(times, dtype=np.int16), len(samples))
    return Samples(samples.targets, **(columns | {"segment": segment}))


def test_a_late_generator_is_no_fault_of_the_server():
    punctual = run_of()
    late = Samples(**(vars(punctual) | {"sent_s": punctual.done_s - 0.001}))
    found = percentile_of(late, 0.99, 0.05)
    assert found.over(5).lower > 0.01
    assert found.trips_over(5).upper < 0.01


def test_unsent_requests_are_over_the_limit_on_both_counts():
    samples = run_of()
    status = np.where(np.arange(len(samples)) % 2, 200, UNSENT).astype(np.int16)
    found = percentile_of(Samples(**(vars(samples) | {"status": status})), 0.99, 0.05)
    assert found.over(1e6).measured == found.trips_over(1e6).measured == pytest.approx(0.5, abs=0.001)


def test_a_few_samples_without_a_miss_are_no_hopeless_case():
    samples = run_of(window_s=0.3)
    found = percentile_of(samples, 0.99, 0.002)
    assert found.over(1e6).upper > found.allowed
    assert 0 < found.further_windows(1e6) < 500
