import pytest

from harness.judge.looks import look_at, looks
from harness.scenario import Traffic


def test_a_run_that_may_not_go_on_is_judged_once_at_the_whole_alpha():
    (look,) = looks(Traffic(window_s=60))
    assert (look.window_s, look.alpha) == (60, pytest.approx(0.05))


@pytest.mark.parametrize(
    ("end_s", "times"), [(60, [60]), (100, [60, 100]), (300, [60, 120, 300]), (1000, [60, 120, 240, 480, 1000])]
)
def test_looks_double_and_share_one_alpha(end_s, times):
    planned = looks(Traffic(window_s=60, extend_to_s=end_s))
    assert [look.window_s for look in planned] == times
    assert sum(look.alpha for look in planned) == pytest.approx(0.05)
    assert [look.alpha for look in planned] == sorted(look.alpha for look in planned)


def test_the_look_is_the_last_whose_time_is_reached():
    traffic = Traffic(window_s=60, extend_to_s=300)
    assert [look_at(traffic, t).window_s for t in (0, 10, 60, 119, 120, 180, 300)] == [60, 60, 60, 60, 120, 120, 300]
