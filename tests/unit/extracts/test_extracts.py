import math
from xml.etree import ElementTree as ET

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from ruamel.yaml import YAML

from harness.extracts import badge, junit, openmetrics, openslo

NAMES = ("pass", "fail", "inconclusive", "invalid", "incomplete", "hostile")


def documents(text):
    return list(YAML(typ="safe").load_all(text))


@pytest.mark.parametrize("name", NAMES)
def test_junit_counts_a_case_per_objective_and_lets_no_undecided_run_pass(report_of, name):
    report = report_of(name)
    suite = ET.fromstring(junit.render([report])).find("testsuite")
    cases = {case.get("name"): case for case in suite.iter("testcase")}
    assert next(iter(cases)) == "verdict"
    assert len(cases) == 1 + len(report.verdict.objectives) == int(suite.get("tests"))
    broken = {"PASS": [], "FAIL": ["failure"], "INCONCLUSIVE": ["error"], "INVALID": ["error"]}
    for case, objective in zip(list(cases.values())[1:], report.verdict.objectives, strict=True):
        by_load = not objective.name.startswith(("ndcg", "size", "memory"))
        status = "INVALID" if by_load and report.verdict.status == "INVALID" else objective.status
        assert [child.tag for child in case if child.tag != "system-out"] == broken[status]
    assert [child.tag for child in cases["verdict"]] == broken[report.verdict.status]
    totals = [len(list(suite.iter(tag))) for tag in ("failure", "error")]
    assert [int(suite.get("failures")), int(suite.get("errors"))] == totals
    told = [prop.get("name") for prop in suite.iter("property")]
    for finding in report.verdict.findings:
        assert any(one.startswith("finding.") and one.split(".", 1)[1][:8] == finding.name[:8] for one in told)


def test_junit_says_why_a_run_is_incomplete(report_of):
    report = report_of("incomplete")
    assert report.measurements.failure in ET.fromstring(junit.render([report])).find(".//error").get("message")


@pytest.mark.parametrize("name", NAMES)
def test_openmetrics_is_read_by_the_reference_parser(report_of, name):
    report = report_of(name)
    families = {family.name: family for family in text_string_to_metric_families(openmetrics.render([report]))}
    states = {s.labels["harness_verdict"]: s.value for s in families["harness_verdict"].samples}
    assert [state for state, holds in states.items() if holds] == [report.verdict.status]
    limits = {s.labels["objective"]: s.value for s in families["harness_objective_limit"].samples}
    assert limits == {objective.name: objective.limit for objective in report.verdict.objectives}
    for measure in report.measures:
        seconds = next(
            s.value for s in families["harness_latency_seconds"].samples
            if s.labels["target"] == measure.target and s.labels["percentile"] == "p99"
        )  # fmt: skip
        assert seconds == measure.latency_ms["p99"] / 1e3 or math.isinf(seconds)


def test_openslo_has_an_slo_per_percentile_and_one_for_errors(report_of):
    service, *slos = documents(openslo.render([report_of("fail"), report_of("pass")]))
    assert service["kind"] == "Service"
    assert service["metadata"]["annotations"] == {"ranking-sla/ndcg_drop": "0.005", "ranking-sla/size_mb": "2"}
    targets = {slo["metadata"]["name"]: slo["spec"]["objectives"][0]["target"] for slo in slos}
    assert targets == {"feed-25ms-latency-p50": 0.5, "feed-25ms-latency-p99": 0.99, "feed-25ms-errors": 0.99}
    assert all(slo["spec"]["service"] == "feed-25ms" and slo["apiVersion"] == "openslo/v1" for slo in slos)


def test_a_badge_is_an_image_that_says_the_verdict_in_words(report_of):
    for name in NAMES:
        image = ET.fromstring(badge.render([report_of(name)]))
        assert report_of(name).verdict.status in image.get("aria-label")
        assert "script" not in {element.tag.rpartition("}")[2] for element in image.iter()}
    several = ET.fromstring(badge.render([report_of(name) for name in ("pass", "fail", "pass")]))
    assert several.get("aria-label") == "ranking SLA: 2 PASS, 1 FAIL"
