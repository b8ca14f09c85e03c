import itertools
import math

import numpy as np
import pytest
from scipy.stats import binomtest

from harness.paired import bootstrap_means, bounds_of, exceeding_p, holm, randomisation_p, share_losing, worst_tenth


def test_the_bound_covers_the_true_mean_about_as_often_as_it_says():
    rng = np.random.default_rng(1)
    covered = [bounds_of(bootstrap_means(rng.normal(size=80), n_samples=400))[1] >= 0 for _ in range(300)]
    assert 0.90 <= np.mean(covered) <= 0.99


def test_the_bounds_of_a_large_sample_are_the_normal_ones():
    differences = np.random.default_rng(2).normal(0.3, 2.0, 2000)
    lower, upper = bounds_of(bootstrap_means(differences))
    half = 1.6449 * differences.std() / math.sqrt(differences.size)
    assert upper - lower == pytest.approx(2 * half, rel=0.05)
    assert exceeding_p(bootstrap_means(differences), upper + 1e-9) <= 0.0502


def test_random_signs_agree_with_all_signs():
    differences = np.array([0.3, 0.1, -0.05, 0.2, 0.15, -0.1, 0.4, 0.25])
    sums = [float(np.dot(signs, differences)) for signs in itertools.product((-1, 1), repeat=differences.size)]
    exact = float(np.mean(np.abs(sums) >= abs(differences.sum()) - 1e-12))
    assert randomisation_p(differences) == pytest.approx(exact, abs=0.01)


def test_random_signs_of_equal_sizes_are_the_sign_test():
    differences = np.where(np.arange(40) < 27, 0.1, -0.1)
    assert randomisation_p(differences) == pytest.approx(binomtest(27, 40).pvalue, abs=0.01)


def test_holm_is_the_textbook_example_and_leaves_out_what_was_not_tested():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx((0.03, 0.06, 0.06, 0.02))
    adjusted = holm([0.04, math.nan, 0.9, 0.9])
    assert math.isnan(adjusted[1])
    assert adjusted[0] == pytest.approx(0.12)
    assert adjusted[2:] == (1.0, 1.0)
    assert holm([]) == ()


def test_the_tail_shows_what_a_mean_hides():
    differences = np.array([0.5, 0.3, *[-0.05] * 16, 0.1, 0.0])
    assert worst_tenth(differences) == pytest.approx(0.4)
    assert share_losing(differences) == pytest.approx(0.1)
    assert worst_tenth(np.array([0.2])) == pytest.approx(0.2)
