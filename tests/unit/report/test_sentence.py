import math

import pytest

from harness.records import VerdictStatus
from harness.report._sentence import sentence

GAIN = (
    "costs 0.0021 NDCG@10 (at most 0.0043 with 95 % confidence); 4.2× smaller, engine 9.3× faster than the "
    "uncompressed teacher, which misses the SLA at p99 193 ms."
)


def test_a_teacher_that_could_not_keep_up_is_said_so(report_of):
    report = report_of("pass")
    lost = {"latency_ms": {"p50": 5.0, "p99": math.inf}, "error_rate": 0.11}
    measures = tuple(m.model_copy(update=lost) if m.target == "teacher" else m for m in report.measures)
    assert sentence(report.model_copy(update={"measures": measures})).endswith(
        "uncompressed teacher, which leaves 11.0 % of the requests unanswered."
    )


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("pass", "The compressed ranker meets p99 25 ms with 18.8 ms of headroom, and its 4 other objectives; " + GAIN),
        ("fail", "The compressed ranker misses p99 5 ms by 1.16 ms; " + GAIN),
        (
            "inconclusive",
            "It is undecided whether the compressed ranker meets p99 6.3 ms (6.16 ms measured, 5.80 ms to 7.56 ms with "
            "95 % confidence); " + GAIN,
        ),
        (
            "uncompressed",
            "The uncompressed ranker meets p99 25 ms with 18.8 ms of headroom; engine 9.3× faster, "
            "capacity 4.1× higher than the same ranker "
            "behind engine native, which misses the SLA at p99 193 ms.",
        ),
        ("wrong-answers", "The compressed ranker answers 1.00 % of the requests wrongly; " + GAIN),
        ("target", "The target meets p99 25 ms with 18.8 ms of headroom."),
        ("incomplete", "Nothing could be judged: the run has no measurement of the ranker under load."),
    ],
)
def test_whole_sentence(report_of, name, said):
    assert sentence(report_of(name)) == said


def test_an_invalid_run_tells_no_times(report_of):
    said = sentence(report_of("invalid"))
    assert said.startswith("The measurement can't be trusted (generator-busy), so whether")
    assert said.endswith("4.2× smaller than the uncompressed teacher.")
    assert "faster" not in said


def test_unanswered_requests_are_said_in_words(report_of):
    said = sentence(report_of("unanswered"))
    assert "misses p99 25 ms (too many requests were not answered) and error rate 1 % by 24.0 %" in said


def test_no_teacher_under_load(report_of):
    assert sentence(report_of("no-teacher")).endswith("than the uncompressed teacher, which was not load-tested.")


def test_a_teacher_inside_the_sla(report_of):
    report = report_of("pass")
    fast = report.measures[0].model_copy(update={"latency_ms": {"p50": 3.0, "p99": 12.0}})
    said = sentence(report.model_copy(update={"measures": (fast, report.measures[1])}))
    assert said.endswith("which stays inside the SLA at p99 12.0 ms.")


@pytest.mark.parametrize(("drop", "said"), [(-0.001, "gains 0.0010 NDCG@10 (costs at most"), (0.0, "costs no NDCG@10")])
def test_quality_that_is_not_lost(report_of, drop, said):
    report = report_of("pass")
    ledger = report.measurements.ledger
    quality = ledger[-1].quality.model_copy(update={"drop": drop})
    changed = (*ledger[:-1], ledger[-1].model_copy(update={"quality": quality}))
    measurements = report.measurements.model_copy(update={"ledger": changed})
    assert said in sentence(report.model_copy(update={"measurements": measurements}))


def test_an_objective_without_a_measurement(report_of):
    report = report_of("pass")
    lost = {"status": VerdictStatus.INCONCLUSIVE, "measured": math.nan, "lower": math.nan, "upper": math.nan}
    objectives = (report.verdict.objectives[0].model_copy(update=lost),)
    verdict = report.verdict.model_copy(update={"status": VerdictStatus.INCONCLUSIVE, "objectives": objectives})
    assert "meets p50 8 ms (not measured)" in sentence(report.model_copy(update={"verdict": verdict}))
