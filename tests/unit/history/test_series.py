"""Which runs make a series, and where the newest figure would lie by chance."""

import math

import numpy as np
import pytest

from harness.history.likeness import differences
from harness.history.point import Figure, Point
from harness.history.series import band, series_of, worse


def exact(value):
    return Figure(value=value, lower=value, upper=value)


def point(run, p99_ms=5.0, name="s", machine=None, question=None, kind="run"):
    figures = {"p99_ms": Figure(value=p99_ms)}
    return Point(
        run=run, kind=kind, name=name, created=run, subject="compressed", figures=figures,
        machine={"cores": 2} | (machine or {}), question={"traffic": {"offered_qps": 100}} | (question or {}),
    )  # fmt: skip


def test_another_machine_or_scenario_is_another_series_with_the_reason():
    found = series_of(
        [
            point("1"),
            point("2", machine={"cores": 4}),
            point("3"),
            point("4", question={"traffic": {"offered_qps": 200}}),
            point("5", name="other"),
        ]
    )
    assert [[p.run for p in series.points] for series in found] == [["1", "3"], ["2"], ["4"], ["5"]]
    assert [series.apart for series in found] == [
        (), ("machine cores: 2 and 4",), ("scenario traffic.offered_qps: 100 and 200",), (),
    ]  # fmt: skip


def test_limits_names_and_keys_that_an_older_version_did_not_write_keep_no_runs_apart(sample_report):
    run = sample_report.measurements
    sla = run.scenario["sla"]
    looser = run.model_copy(update={"scenario": run.scenario | {"name": "x", "sla": sla | {"p99_ms": 9}}})
    assert differences(run, looser) == ()
    older = run.model_copy(update={"environment": {"cpu": run.environment["cpu"]}})
    assert differences(run, older) == ()
    shorter = run.model_copy(update={"scenario": run.scenario | {"compress": run.scenario["compress"][:1]}})
    assert differences(run, shorter)[0].startswith("scenario compress: ")
    other_ndcg = run.scenario["sla"] | {"ndcg": {"k": 5, "empty": "skip"}}
    (apart,) = differences(run, run.model_copy(update={"scenario": run.scenario | {"sla": other_ndcg}}))
    assert apart == "scenario sla.ndcg.k: 10 and 5"


def test_the_band_of_equal_runs_holds_the_next_one_as_often_as_it_says():
    rng, held = np.random.default_rng(1), 0
    for _ in range(400):
        *before, newest = [Figure(value=v) for v in np.exp(rng.normal(2, 0.1, 6))]
        held += band("p99_ms", before, newest).newest == "within"
    assert 365 <= held <= 393, "95 % of 400, give or take three standard errors"


def test_until_three_runs_scatter_their_own_bounds_make_the_band():
    before = Figure(value=10.0, lower=9.0, upper=11.0)
    one = band("p99_ms", [before], Figure(value=12.9))
    assert not one.from_runs
    assert one.low < 9 < 11 < one.high < 13
    assert band("p99_ms", [before], Figure(value=20.0)).newest == "above"
    assert band("p99_ms", [Figure(value=10.0)], Figure(value=20.0)) is None, "nothing is known of chance"
    assert band("p99_ms", [Figure(value=v) for v in (10, 11, 12)], Figure(value=11.5)).from_runs


def test_what_never_varies_has_a_band_of_nothing_and_what_was_not_answered_lies_above():
    same = [exact(1.5)] * 4
    assert band("size_mb", same, exact(1.5)).newest == "within"
    assert band("size_mb", same, exact(1.6)).newest == "above"
    assert band("p99_ms", [Figure(value=v) for v in (10, 11, 12)], Figure(value=math.inf)).newest == "above"


def test_latencies_of_invalid_runs_make_no_band_and_their_sizes_do():
    figures = {"p99_ms": Figure(value=50.0), "size_mb": exact(1.0)}
    bad = point("2").model_copy(update={"status": "INVALID", "figures": figures})
    good = [point(run, 5.0 + int(run) / 10) for run in "1345"]
    good = [one.model_copy(update={"figures": figures | one.figures}) for one in good]
    (series,) = series_of([good[0], bad, *good[1:]])
    assert series.bands["p99_ms"].n_before == 3
    assert series.bands["size_mb"].n_before == 4
    (disturbed,) = series_of([*good, bad])
    assert "p99_ms" not in disturbed.bands, "of the newest nothing can be said"
    assert "size_mb" in disturbed.bands


def test_quality_keeps_the_bounds_of_its_test_split_however_often_it_is_repeated():
    same = [Figure(value=0.002, lower=-0.001, upper=0.005)] * 4
    assert band("ndcg_drop", same, Figure(value=0.004)).newest == "within"
    assert band("ndcg_drop", same, Figure(value=0.02)).newest == "above"


@pytest.mark.parametrize(
    ("measure", "before", "newest", "expected"),
    [
        ("size_mb", exact(1.0), exact(1.04), False),
        ("size_mb", exact(1.0), exact(1.06), True),
        ("ndcg_drop", Figure(value=0.0, lower=-0.001, upper=0.001), Figure(value=0.01, lower=0.002, upper=0.02), True),
        ("ndcg_drop", Figure(value=0.0, lower=-0.001, upper=0.003), Figure(value=0.01, lower=0.002, upper=0.02), False),
        ("capacity_qps", Figure(value=300, lower=280, upper=320), Figure(value=200, lower=180, upper=220), True),
        ("capacity_qps", Figure(value=300, lower=280, upper=320), Figure(value=250, lower=230, upper=290), False),
        ("ndcg", Figure(value=0.7), Figure(value=0.6), False),
    ],
)
def test_a_figure_is_worse_only_where_bounds_part(measure, before, newest, expected):
    assert worse(measure, before, newest, 0.05) is expected
