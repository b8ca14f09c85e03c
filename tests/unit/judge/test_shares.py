import numpy as np
import pytest
from queues import Queue, exponential, samples_of

from harness.judge.clusters import Clusters, cycles
from harness.judge.shares import INDEPENDENT, Reference, bounded, reference, share_of

ALONE = Clusters(10, 10, 0.0)


def share(over, cycle=None, ref=INDEPENDENT, alpha=0.05):
    over = np.asarray(over, dtype=bool)
    due = np.arange(over.size, dtype=float)
    return share_of(over, cycles(samples_of(due, due + 0.5)) if cycle is None else cycle, ref, alpha)


def test_misses_that_come_alone_have_about_the_poisson_bounds():
    over = np.arange(1000) % 100 == 0
    found = share(over)
    assert found.measured == 0.01
    assert 0.0042 < found.lower < 0.0055  # Clopper and Pearson: 0.0054, and 0.0049 at 97.5 %
    assert 0.0168 < found.upper < 0.0195  # 0.0169 and 0.0183
    assert found.n_effective == pytest.approx(1000, rel=0.01)


def test_nothing_over_and_everything_over():
    none, every = share(np.zeros(300)), share(np.ones(300))
    assert (none.measured, none.lower) == (0, 0)
    assert none.upper == pytest.approx(-np.log(0.5 * 0.05) / 300, rel=0.01)
    assert every.upper == 1
    assert every.lower > 0.7
    assert np.isnan(share(np.zeros(0)).measured)


def test_the_same_misses_in_fewer_clusters_say_less():
    few, many = (bounded(c, c, 1000, INDEPENDENT) for c in (Clusters(2, 10, 0.1), Clusters(10, 10, 0.0)))
    assert few.measured == many.measured
    assert few.upper > 1.3 * many.upper
    assert few.lower < many.lower / 2


def test_the_clusters_of_the_run_count_where_none_are_over_the_limit():
    none = Clusters(0, 0, float("nan"))
    calm, wavy = (bounded(none, none, 1000, Reference(50, size, 2.5)) for size in (1.0, 20.0))
    assert wavy.upper == pytest.approx(20 * calm.upper)


def test_less_alpha_means_wider_bounds():
    wide, narrow = (bounded(ALONE, ALONE, 1000, INDEPENDENT, alpha) for alpha in (0.002, 0.05))
    assert wide.upper > narrow.upper
    assert wide.lower < narrow.lower


def test_a_busier_queue_is_worth_fewer_samples():
    sizes = []
    for utilisation in (0.3, 0.6, 0.85):
        due, done = next(Queue("M/M/1", 1, 200.0, exponential(utilisation / 200)).runs(1, 60, seed=3))
        samples = samples_of(due, done)
        cycle, latency = cycles(samples), samples.latency_ms
        sizes.append(share_of(latency > np.quantile(latency, 0.99), cycle, reference(latency, cycle, 0.01)).n_effective)
    assert sizes[0] > 2 * sizes[1] > 4 * sizes[2]


@pytest.mark.parametrize(("utilisation", "servers"), [(0.5, 1), (0.85, 1), (0.7, 4)])
def test_at_the_boundary_verdicts_are_seldom_wrong(utilisation, servers):
    """A small version of tests/benchmarks/verdicts.py: 200 runs, 9 % allows for three standard errors."""
    queue = Queue("M/M/c", servers, 200.0, exponential(utilisation * servers / 200))
    limit_ms = float(np.quantile(queue.latencies_s(600, 60, seed=4), 0.99)) * 1e3
    n_pass = n_fail = 0
    for due, done in queue.runs(200, 60, seed=5):
        samples = samples_of(due, done)
        cycle, latency = cycles(samples), samples.latency_ms
        found = share_of(latency > limit_ms, cycle, reference(latency, cycle, 0.01))
        n_pass += found.upper <= 0.01
        n_fail += found.lower > 0.01
    assert n_pass <= 18
    assert n_fail <= 18
