import math

import pytest

from harness.report import _numbers as numbers

NAN, INF = math.nan, math.inf


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"),
        (0.00213, "0.00213"),
        (0.9996, "1.00"),
        (9.994, "9.99"),
        (9.996, "10.0"),
        (11.2345, "11.2"),
        (99.96, "100"),
        (412.4, "412"),
        (12345.6, "12,346"),
        (-3.14159, "−3.14"),
        (1e-9, "<0.000001"),
        (NAN, "–"),
        (INF, "∞"),
        (-INF, "−∞"),
    ],
)
def test_three_significant_digits(value, shown):
    assert numbers.figure(value) == shown


def test_units_and_words():
    assert numbers.ms(11.21) == "11.2 ms"
    assert numbers.ms(INF) == "not answered"
    assert numbers.ms(NAN) == "–"
    assert [numbers.us(v) for v in (41.53, 999.4, 999.6, NAN)] == ["41.5 µs", "999 µs", "1.00 ms", "–"]
    assert [numbers.size(v) for v in (0, 512, 999.4, 4_820_000, 3.2e9)] == ["–", "512 B", "999 B", "4.82 MB", "3.20 GB"]
    assert numbers.size(NAN) == "–"
    assert [numbers.count(v) for v in (0, 38100)] == ["–", "38,100"]
    assert numbers.share(0.00123) == "0.123 %"


def test_quality_has_four_decimals_and_no_negative_zero():
    assert [numbers.quality(v) for v in (0.00214, -0.0011, -0.00001, NAN)] == ["0.0021", "−0.0011", "0.0000", "–"]


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        (8.1, 1, "8.1× smaller"),
        (1, 1.3, "1.3× larger"),
        (100, 99, "about the same"),
        (120, 1, "120× smaller"),
        (0, 1, ""),
        (NAN, 1, ""),
        (INF, 1, ""),
    ],
)
def test_ratio(before, after, shown):
    assert numbers.ratio(before, after, "smaller", "larger") == shown


def test_limits_are_as_exact_as_declared():
    assert numbers.limit("p99_ms", 25.0, "ms") == "25 ms"
    assert numbers.limit("p99_ms", 12.345, "ms") == "12.345 ms"
    assert numbers.limit("error_rate", 0.0005, "") == "0.05 %"
    assert numbers.limit("min_qps", 1200, "qps") == "1,200 requests/s"
    assert numbers.limit("ndcg_drop", 0.0025, "") == "0.0025"
