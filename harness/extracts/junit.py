"""JUnit XML: a test case per objective, for CI systems that list tests.

A run is a test suite. Its first case is the verdict; a case per objective follows. A missed objective is a failure.
INCONCLUSIVE and INVALID are errors, and so is of an INVALID run every case that its load test decided. They are no
skipped cases, for those would let a build pass on a figure that nobody knows. Findings are properties of the suite.
Elements and attributes are those that Jenkins and GitLab read (https://github.com/testmoapp/junitxml describes them).
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from harness.printable import printable
from harness.records import ObjectiveResult, Report, VerdictStatus

SUFFIX = "junit.xml"
_BROKEN = {VerdictStatus.FAIL: "failure", VerdictStatus.INCONCLUSIVE: "error", VerdictStatus.INVALID: "error"}


def render(reports: Sequence[Report]) -> str:
    """All runs as one `<testsuites>`."""
    root = ET.Element("testsuites", name="SLA compliance")
    root.extend(_suite(report) for report in reports)
    _count(root)
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(report: Report) -> ET.Element:
    run, verdict = report.measurements, report.verdict
    suite = ET.Element("testsuite", name=printable(report.name), timestamp=printable(run.created[:19]))
    properties = ET.SubElement(suite, "properties")
    facts = [("run", report.run), ("harness", run.tool_version), ("verdict", verdict.status), ("command", run.command)]
    told = [(f"finding.{f.name}", f"{f.message} -> {f.remedy}") for f in (*verdict.findings, *run.findings)]
    for name, value in dict.fromkeys(facts + told):
        ET.SubElement(properties, "property", name=printable(name), value=printable(value))
    _case(suite, report, "verdict", verdict.status, _why(report), "")
    for objective in verdict.objectives:
        found = _found(objective)
        _case(suite, report, _asked(objective), _status(objective, report), objective.reason or found, found)
    _count(suite)
    return suite


def _why(report: Report) -> str:
    """What made the verdict: a failed stage, findings, missed objectives."""
    verdict = report.verdict
    findings = [f"{f.name}: {f.message}" for f in verdict.findings if f.hard or f.fails]
    missed = [f"{_asked(o)}: {o.reason or _found(o)}" for o in verdict.objectives if o.status == VerdictStatus.FAIL]
    return "; ".join(filter(None, [report.measurements.failure, *findings, *missed])) or f"the run is {verdict.status}"


def _status(objective: ObjectiveResult, report: Report) -> VerdictStatus:
    """Of an INVALID run, what its load test decided is not known, whatever it measured."""
    by_load = objective.name.endswith("_ms") or objective.name in ("error_rate", "min_qps")
    invalid = report.verdict.status == VerdictStatus.INVALID
    return VerdictStatus.INVALID if by_load and invalid else objective.status


def _case(suite: ET.Element, report: Report, name: str, status: VerdictStatus, why: str, found: str) -> None:
    case = ET.SubElement(suite, "testcase", classname=printable(report.name), name=printable(name))
    if status in _BROKEN:
        broken = ET.SubElement(case, _BROKEN[status], type=status, message=printable(why))
        broken.text = printable(found) or None
    elif found:
        ET.SubElement(case, "system-out").text = printable(found)


def _asked(objective: ObjectiveResult) -> str:
    sign = ">=" if objective.name == "min_qps" else "<="
    return f"{objective.name} {sign} {objective.limit:g}"


def _found(objective: ObjectiveResult) -> str:
    unit = f" {objective.unit}" if objective.unit else ""
    return (
        f"measured {objective.measured:.4g}{unit}, 95 % bounds {objective.lower:.4g} to {objective.upper:.4g}, "
        f"headroom {objective.headroom:.4g}"
    )


def _count(parent: ET.Element) -> None:
    """Totals of the cases below, as attributes."""
    parent.set("tests", str(len(list(parent.iter("testcase")))))
    parent.set("failures", str(len(list(parent.iter("failure")))))
    parent.set("errors", str(len(list(parent.iter("error")))))
    parent.set("skipped", "0")
