"""The clock engine: declared service times, drawn repeatably, really waited for."""

import time

import numpy as np
import pytest
from pydantic import ValidationError

from harness.engines import fake


def times_ms(n=4000, **options):
    scorer = fake.ClockScorer(fake.Options(**options))
    return np.array([scorer.service_ms() for _ in range(n)])


def test_constant_is_constant():
    assert set(times_ms(n=10, mean_ms=7.5)) == {7.5}


def test_exponential_has_the_mean_and_the_spread_it_declares():
    drawn = times_ms(service="exponential", mean_ms=4.0)
    assert drawn.mean() == pytest.approx(4.0, rel=0.06)
    assert drawn.std() == pytest.approx(4.0, rel=0.1)
    assert np.quantile(drawn, 0.99) == pytest.approx(4.0 * np.log(100), rel=0.15)


def test_bimodal_stalls_at_the_declared_share():
    drawn = times_ms(service="bimodal", mean_ms=2.0, stall_ms=40.0, stall_share=0.1)
    assert set(drawn) == {2.0, 40.0}
    assert (drawn == 40.0).mean() == pytest.approx(0.1, abs=0.02)


def test_the_seed_decides():
    same = [times_ms(n=20, service="exponential", seed=seed) for seed in (3, 3, 4)]
    np.testing.assert_array_equal(same[0], same[1])
    assert (same[0] != same[2]).any()


@pytest.mark.parametrize("mean_ms", [0.1, 3.0])
def test_a_call_takes_no_less_than_it_declares(mean_ms):
    scorer = fake.ClockScorer(fake.Options(mean_ms=mean_ms))
    for _ in range(5):
        started = time.perf_counter()
        scorer.score(np.zeros((3, 2), dtype=np.float32))
        assert time.perf_counter() - started >= mean_ms / 1e3


def test_scores_are_the_first_feature():
    scorer = fake.ClockScorer(fake.Options(mean_ms=0))
    x = np.float32([[1, 9], [np.nan, 9], [-np.inf, 9]])
    scores = scorer.score(x)
    np.testing.assert_array_equal(scores, np.float32([1, 0, -np.inf]))
    assert scores.dtype == np.float32
    assert np.isnan(x[1, 0])


@pytest.mark.parametrize("options", [{"mean_ms": -1}, {"stall_share": 1.5}, {"service": "gamma"}, {"mean": 3}])
def test_options_have_bounds(options):
    with pytest.raises(ValidationError):
        fake.Options(**options)
