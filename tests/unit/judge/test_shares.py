import numpy as np
import pytest
from scipy.signal import lfilter

from harness.judge.shares import autocorrelation_time, percentile, percentile_bounds, share_of, slowest


def test_independent_samples_count_in_full():
    assert autocorrelation_time(np.random.default_rng(0).normal(size=20_000)) == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize("rho", [0.5, 0.9])
def test_an_autoregressive_series_has_the_known_time(rho):
    noise = np.random.default_rng(1).normal(size=200_000)
    series = lfilter([1.0], [1.0, -rho], noise)
    assert autocorrelation_time(series) == pytest.approx((1 + rho) / (1 - rho), rel=0.1)


@pytest.mark.parametrize("series", [np.zeros(0), np.zeros(100), np.array([1.0, 2.0])])
def test_short_and_constant_series_are_harmless(series):
    assert autocorrelation_time(series) == 1.0


def test_share_bounds_are_clopper_pearson_for_independent_samples():
    rng = np.random.default_rng(2)
    over = np.zeros(1000, dtype=bool)
    over[rng.choice(1000, 10, replace=False)] = True
    share = share_of(over, slowest(rng.normal(size=1000), 0.99))
    assert share.measured == 0.01
    assert share.lower == pytest.approx(0.0054, rel=0.1)
    assert share.upper == pytest.approx(0.0169, rel=0.1)


def test_nothing_over_and_everything_over():
    latency = np.random.default_rng(3).normal(size=300)
    slow = slowest(latency, 0.99)
    none, every = share_of(latency > 1e9, slow), share_of(latency > -1e9, slow)
    assert (none.lower, every.upper) == (0.0, 1.0)
    assert none.upper == pytest.approx(1 - 0.05 ** (1 / none.n_effective))
    assert every.lower == pytest.approx(0.05 ** (1 / every.n_effective))
    assert np.isnan(share_of(np.zeros(0, dtype=bool), np.zeros(0, dtype=bool)).measured)


def test_clustered_misses_widen_the_bounds():
    rng = np.random.default_rng(4)
    spread, clustered = np.zeros(4000, dtype=bool), np.zeros(4000, dtype=bool)
    spread[rng.choice(4000, 40, replace=False)] = True
    clustered[1000:1040] = True
    assert share_of(clustered, clustered).upper > 2 * share_of(spread, spread).upper


def test_clusters_below_the_limit_count_too():
    rng = np.random.default_rng(6)
    none = np.zeros(4000, dtype=bool)
    steady = rng.exponential(size=4000)
    stalling = steady + 5 * (np.arange(4000) % 1000 < 60)
    assert share_of(none, slowest(stalling, 0.99)).upper > 5 * share_of(none, slowest(steady, 0.99)).upper


def test_a_percentile_is_an_observed_value_and_counts_infinities():
    values = np.array([1.0, 2.0, 3.0, np.inf])
    assert [percentile(values, q) for q in (0.25, 0.5, 0.75, 0.99)] == [1, 2, 3, np.inf]
    assert percentile(np.arange(1.0, 101.0), 0.99) == 99
    assert np.isnan(percentile(np.zeros(0), 0.5))


def test_percentile_bounds_hold_the_truth_and_are_open_when_samples_are_few():
    rng = np.random.default_rng(5)
    inside = 0
    for _ in range(200):
        lower, upper = percentile_bounds(rng.exponential(size=1000), 0.95, 1000)
        inside += lower <= -np.log(0.05) <= upper
    assert inside >= 170
    assert percentile_bounds(rng.exponential(size=100), 0.99, 100)[1] == np.inf
