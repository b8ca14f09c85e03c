import math

import pytest

from harness.records import (
    LedgerRow,
    Measurements,
    ModelSize,
    QualityDrop,
    Report,
    TargetMeasure,
    Verdict,
    VerdictStatus,
)
from harness.suite import fronts, suite_of
from harness.suite.front import dominators


def report(name, drop, p99_ms, n_bytes, *, teacher="t", status="PASS", traffic=None, engine_us=900.0):
    def row(digest, lost, size):
        quality = QualityDrop(
            ndcg=0.5 - lost, drop=lost, drop_lower=lost - 0.001, drop_upper=lost + 0.001, n_groups=100
        )
        return LedgerRow(
            step=digest, digest=digest, quality=quality, size=ModelSize(disk_bytes=size), engine_us=engine_us
        )

    measurements = Measurements(
        tool_version="1",
        created="2026-01-01T00:00:00+00:00",
        command="",
        scenario={"traffic": traffic or {"offered_qps": 100}},
        environment={"cpu": "x", "cores": 2},
        data={"digest": "d"},
        ledger=(row(teacher, 0.0, 9999), row(name, drop, n_bytes)),
    )
    percentiles = {"p99": p99_ms}
    measure = TargetMeasure(
        target="compressed",
        n_planned=1,
        n_ok=1,
        n_failed=0,
        n_unsent=0,
        window_s=1,
        achieved_qps=1,
        latency_ms=percentiles,
        round_trip_ms=percentiles,
        send_lag_ms=percentiles,
        error_rate=0,
    )
    verdict = Verdict(status=VerdictStatus(status))
    return Report(name=name, measurements=measurements, measures=(measure,), verdict=verdict)


def test_dominated_points_name_those_of_the_front_that_beat_them():
    costs = [(0.0, 5.0, 9.0), (0.1, 2.0, 3.0), (0.1, 2.0, 4.0), (0.2, 2.0, 9.0), (0.3, 1.0, 9.0)]
    assert dominators(costs) == [(), (), (1,), (1,), ()]


def test_equal_points_and_unknown_times_dominate_nothing():
    assert dominators([(0.1, 1.0, 1.0), (0.1, 1.0, 1.0)]) == [(), ()]
    assert dominators([(0.1, math.nan, 1.0), (0.2, 1.0, 2.0)]) == [(), ()]
    assert dominators([(0.1, 1.0, 1.0), (0.2, math.inf, 2.0)]) == [(), (0,)]
    assert dominators([]) == []


def test_a_suite_ends_in_a_front_with_its_dominated_runs_marked():
    (front,), left_out = fronts(
        [report("good", 0.001, 5, 100), report("small", 0.01, 4, 10), report("bad", 0.02, 6, 50)]
    )
    assert {point.name: point.dominated_by for point in front.points} == {"good": (), "small": (), "bad": ("small",)}
    assert front.time == "p99 latency"
    assert front.points[0].time_us == 5000
    assert left_out == ()


def test_only_comparable_runs_share_a_front():
    busy = {"offered_qps": 500}
    nothing = report("f", 0.0, 1, 1).measurements.model_copy(update={"ledger": ()})
    found, left_out = fronts(
        [
            report("a", 0.001, 5, 100),
            report("b", 0.002, 4, 100),
            report("c", 0.001, 5, 100, teacher="other"),
            report("d", 0.0, 1, 1, traffic=busy),
            report("e", 0.0, 1, 1, status="INVALID"),
            report("f", 0.0, 1, 1).model_copy(update={"measurements": nothing}),
        ]
    )
    assert [[point.name for point in front.points] for front in found] == [["a", "b"]]
    assert {one.name: one.why for one in left_out} == {
        "e": "it has no p99 latency to be trusted",
        "f": "its quality was not measured",
        "c": "no other run has the same teacher",
        "d": "no other run has the same traffic",
    }


def test_without_two_trusted_latencies_engine_times_are_compared():
    invalid = report("a", 0.001, 3, 100, engine_us=300.0, status="INVALID")
    (front,), left_out = fronts(
        [invalid, report("b", 0.002, 4, 100), report("c", 0.0, math.nan, 1, engine_us=math.nan)]
    )
    assert front.time == "engine time, p50"
    assert [point.time_us for point in front.points] == [300.0, 900.0]
    assert [(one.name, one.why) for one in left_out] == [("c", "it has no engine time, p50 to be trusted")]
    assert fronts([]) == ((), ())


@pytest.mark.parametrize(("p_values", "findings"), [((0.02, 0.02), {"non-inferior"}), ((0.04, 0.2), {"undecided"})])
def test_quality_is_tested_over_all_recipes_together(p_values, findings):
    runs = []
    for name, p in zip("ab", p_values, strict=True):
        run = report(name, 0.001, 5, 100)
        quality = run.measurements.ledger[-1].quality
        tested = quality.model_copy(update={"margin": 0.005, "margin_p": p, "randomisation_p": p})
        last = run.measurements.ledger[-1].model_copy(update={"quality": tested})
        ledger = (run.measurements.ledger[0], last)
        runs.append(run.model_copy(update={"measurements": run.measurements.model_copy(update={"ledger": ledger})}))
    suite = suite_of([*runs, runs[0]])
    assert {test.finding for test in suite.quality} == findings
    assert suite.quality[0].margin_p == pytest.approx(2 * p_values[0])
    assert suite.quality[2].margin_p == suite.quality[0].margin_p
    assert not suite_of([report("t", 0.0, 5, 100)]).quality
