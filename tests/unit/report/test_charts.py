"""What each chart shows, by its specification."""

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from harness.records import Finding
from harness.report._charts.engine_times import time_against_length
from harness.report._charts.front import front_chart
from harness.report._charts.groups import spread_of_quality
from harness.report._charts.latency import latency_cdf
from harness.report._charts.rates import latency_against_load
from harness.report._charts.ratios import ratios
from harness.report._charts.send_lag import send_lag
from harness.report._charts.timeline import latency_over_time
from harness.report._charts.waterfall import waterfalls
from harness.suite import suite_of


def mark_of(layer):
    return layer["mark"] if isinstance(layer["mark"], str) else layer["mark"]["type"]


def rows_of(chart, mark):
    """The data of all layers of that mark, from the back."""
    return [row for layer in chart.layers if mark_of(layer) == mark for row in layer["data"]["values"]]


def labels_of(chart):
    return {row.get("label") for row in rows_of(chart, "text")}


def test_a_distribution_rises_to_its_tail_and_has_the_objectives(report_of, samples):
    chart = latency_cdf(report_of("pass"), samples)
    own = [row for row in rows_of(chart, "line") if row["target"] == "compressed"]
    assert len(own) <= 160
    assert all(one["ms"] <= two["ms"] and one["nines"] < two["nines"] for one, two in pairwise(own))
    latency = np.sort(samples.judged("compressed").latency_ms)
    middle = min(own, key=lambda row: abs(row["nines"] - np.log10(2)))
    assert middle["ms"] == pytest.approx(np.median(latency), rel=0.02)
    assert {"p50 ≤ 8 ms", "p99 ≤ 25 ms"} <= labels_of(chart)
    axis = chart.layers[-1]["encoding"]["x"]["scale"]
    assert axis["type"] == "log"


def test_a_curve_with_lost_requests_stays_open(report_of, samples):
    chart = latency_cdf(report_of("pass"), samples)
    assert {row["target"] for row in rows_of(chart, "rule") if "end" in row} == {"teacher"}, "three were lost"
    assert "not answered" in str(chart.layers)


def test_latency_over_time_counts_from_the_start_of_the_load_test(report_of, samples):
    chart = latency_over_time(report_of("pass"), samples)
    rows = rows_of(chart, "line")
    by_target = {name: [row["s"] for row in rows if row["target"] == name] for name in ("teacher", "compressed")}
    assert max(by_target["teacher"]) < 26 < min(by_target["compressed"]), "the second segment starts 26 s later"
    assert len(rows) == 2 * 2 * 25
    lost = [row for layer in chart.layers for row in layer["data"]["values"] if "lost" in row]
    assert [row["lost"].partition(" ")[0] for row in lost] == ["1", "1", "1"]


def test_intervals_grow_so_that_a_long_run_stays_small(report_of, samples):
    slow = replace(samples, due_s=samples.due_s * 100, sent_s=samples.sent_s * 100, done_s=samples.done_s * 100)
    report = report_of("pass")
    load = report.measurements.load.model_copy(update={"segment_start_s": ()})
    longer = report.model_copy(update={"measurements": report.measurements.model_copy(update={"load": load})})
    assert len(rows_of(latency_over_time(longer, slow), "line")) <= 2 * 122


def test_seconds_over_the_threshold_of_a_finding_are_marked_with_its_name(report_of, samples):
    report = report_of("pass")
    foreign = report.measure("teacher").machine.foreign.mean
    finding = Finding(
        name="foreign-cpu", message="m", remedy="r", hard=True, target="teacher", figure=foreign, threshold=0.05
    )
    drift = Finding(name="latency-drift", message="m", remedy="r", hard=True, target="teacher")
    verdict = report.verdict.model_copy(update={"findings": (finding, drift)})
    chart = latency_over_time(report.model_copy(update={"verdict": verdict}), samples)
    (band,) = rows_of(chart, "rect")
    assert (band["s"], band["end"], band["label"]) == (8.5, 9.5, "foreign-cpu"), "the tenth second of the machine's log"
    assert "threshold of foreign-cpu" in chart.caption
    assert "Not of single seconds: latency-drift" in chart.caption
    waiting = finding.model_copy(
        update={"name": "pressure", "figure": report.measure("teacher").machine.cpu_pressure.mean}
    )
    both = report.verdict.model_copy(update={"findings": (finding, waiting)})
    (band,) = rows_of(latency_over_time(report.model_copy(update={"verdict": both}), samples), "rect")
    assert band["label"] == "foreign-cpu, pressure"
    assert not rows_of(latency_over_time(report, samples), "rect")


def test_send_lag_shows_what_is_allowed_where_it_was_exceeded(report_of, samples):
    report = report_of("pass")
    late = Finding(name="send-lag", message="m", remedy="r", target="compressed", figure=3.0, threshold=2.5, unit="ms")
    verdict = report.verdict.model_copy(update={"findings": (late,)})
    assert "send-lag: p99 ≤ 2.5 ms" in labels_of(send_lag(report.model_copy(update={"verdict": verdict}), samples))
    assert not labels_of(send_lag(report, samples))


def test_a_waterfall_goes_from_the_teacher_to_what_is_served(report_of):
    run = report_of("pass").measurements
    lost, size, engine = waterfalls(run.ledger, run.ndcg)
    assert (lost.title, size.title, engine.title) == ("NDCG@10 lost", "Size on disk", "Engine time, p50")
    bars = rows_of(size, "bar")
    assert [bar["step"] for bar in bars] == [
        "teacher", "1. truncate", "2. prune_leaves", "3. quantise", "4. served by tl2cgen", "served"
    ]  # fmt: skip
    assert all(one["end"] == two["begin"] for one, two in pairwise(bars[:-1]))
    assert (bars[0]["begin"], bars[-1]["begin"], bars[-1]["end"]) == (0, 0, bars[-2]["end"])
    assert [bar["label"] for bar in bars][:4] == ["914 kB", "−457 kB", "−241 kB", "no change"]
    assert [row["control"] for row in rows_of(lost, "point")] == ["0.0150", "0.0021"]
    assert len(list(rows_of(lost, "rule"))) == 4, "bounds of every step"


def test_an_unknown_measure_has_no_waterfall(report_of):
    run = report_of("incomplete").measurements
    assert [chart.name for chart in waterfalls(run.ledger, run.ndcg)] == ["waterfall-lost", "waterfall-size"]
    assert waterfalls(run.ledger[:1], run.ndcg) == ()


def test_the_spread_of_a_loss_is_pictured_where_the_ledger_holds_it(report_of):
    run = report_of("pass").measurements
    groups, by_size, lost = spread_of_quality(run.ledger, run.ndcg)
    assert sum(row["groups"] for row in rows_of(groups, "bar")) == 400
    assert "66.7 % keep their NDCG exactly" in groups.caption
    assert len(rows_of(by_size, "line")) == 2 * 5
    assert {row["size"] for row in rows_of(lost, "point")} == {"8–19", "20–39", "40–69", "70–99", "100–149"}
    assert "margin 0.005" in labels_of(lost)
    assert spread_of_quality(run.ledger[:2], run.ndcg) == (), "records of old hold nothing of it"


def test_latency_against_load_shows_every_point_the_limit_the_capacity_and_the_knee(study_of):
    chart = latency_against_load(study_of("capacity"))
    points = rows_of(chart, "point")
    assert len(points) == 2 * 8
    assert {row["verdict"] for row in points} == {"PASS", "FAIL", "INCONCLUSIVE"}
    assert "p99 ≤ 50 ms" in labels_of(chart)
    assert any(label.startswith("knee 2") for label in labels_of(chart))
    assert any(label.startswith("capacity 3") for label in labels_of(chart))
    assert len(rows_of(chart, "rect")) == 1
    assert "100 requests/s: p50 2.17 ms, p99 14.4 ms, PASS" in chart.words
    high = chart.layers[-1]["encoding"]
    assert all(row["ms"] <= chart.layers[1]["encoding"]["y"]["scale"]["domain"][1] for row in points), high


def test_rates_that_cannot_be_trusted_are_not_joined(study_of):
    chart = latency_against_load(study_of("capacity-open"))
    assert {row["verdict"] for row in rows_of(chart, "line")} == {"PASS"}
    assert {row["verdict"] for row in rows_of(chart, "point")} == {"PASS", "INVALID"}
    assert latency_against_load(study_of("capacity-empty")) is None


def test_a_bench_has_a_line_for_each_engine_and_tells_the_lossy_one(study_of):
    chart = time_against_length(study_of("bench"))
    assert {row["engine"] for row in rows_of(chart, "line")} == {"native", "bitblend", "tl2cgen", "rough"}
    assert {row["engine"] for row in rows_of(chart, "line") if row["exact"] == "not exact"} == {"rough"}
    assert len(rows_of(chart, "point")) == 16
    assert time_against_length(study_of("bench-cut")) is None


def test_a_comparison_shows_each_ratio_with_its_interval_and_answer(study_of):
    chart = ratios(study_of("compare"))
    rows = rows_of(chart, "point")
    assert [(row["percentile"], row["answer"]) for row in rows] == [("p50", "B faster"), ("p99", "undecided")]
    assert all(row["lower"] < row["ratio"] < row["upper"] for row in rows)
    (band,) = rows_of(chart, "rect")
    assert (band["ratio"], band["end"]) == (0.9524, 1.05)


def test_a_front_joins_the_runs_that_no_other_beats(report_of):
    (front,) = suite_of([report_of(name) for name in ("pass", "truncated", "tiny")]).fronts
    chart = front_chart(front, 0)
    best = {point.name for point in front.points if not point.dominated_by}
    assert {row["name"] for row in rows_of(chart, "line")} == best
    assert {row["name"] for row in rows_of(chart, "point")} == {point.name for point in front.points}
    assert front_chart(front.model_copy(update={"points": front.points[:1]}), 0) is None


def test_only_a_live_chart_holds_what_a_pointer_finds(report_of, samples):
    chart = latency_cdf(report_of("pass"), samples)
    live, still = chart.spec(live=True), chart.spec(live=False)
    assert live["width"] == "container"
    assert len(live["layer"]) == len(still["layer"]) + 1


def test_text_of_files_reaches_no_drawing_unless_it_is_printable(report_of):
    run = report_of("hostile").measurements
    (chart, *_) = waterfalls(run.ledger, run.ndcg)
    assert "alert(1)" in json.dumps(chart.spec(live=True))
    for escape in ("\\u001b", "\\u202e"):
        assert escape in json.dumps(chart.layers)
        assert escape not in json.dumps(chart.spec(live=True))
