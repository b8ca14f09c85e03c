"""Text of a result that was tampered with breaks no file that another tool reads."""

from xml.etree import ElementTree as ET

from harness.extracts import junit

STEERS = "p99_ms\x00\x1b[2J"


def test_junit_holds_no_character_that_xml_forbids(report_of):
    report = report_of("fail")
    (objective, *rest) = report.verdict.objectives
    named = objective.model_copy(update={"name": STEERS, "unit": "ms\x01"})
    verdict = report.verdict.model_copy(update={"objectives": (named, *rest)})
    measured = report.measurements.model_copy(update={"created": "2026\x02"})
    text = junit.render([report.model_copy(update={"verdict": verdict, "measurements": measured})])
    assert ET.fromstring(text).find("testsuite") is not None
