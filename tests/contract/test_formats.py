"""What every report format keeps to, whoever wrote it."""

from pathlib import Path

import pytest
from pydantic import TypeAdapter

from harness import registry
from harness.records import Report
from harness.samples import Samples
from harness.studies import Study

SAMPLE = Path(__file__).resolve().parents[1] / "sample_report"
STUDY = TypeAdapter(Study)
VARIANTS = {path.stem: path for path in sorted((SAMPLE / "reports").glob("*.json"))}


@pytest.fixture(params=registry.names("formats"))
def plugin(request):
    return registry.report_format(request.param)


@pytest.fixture(params=VARIANTS)
def report(request):
    return Report.model_validate_json(VARIANTS[request.param].read_bytes())


@pytest.fixture(scope="module")
def samples():
    return Samples.load(SAMPLE / "samples.npz")


def test_a_run_renders_with_and_without_samples(plugin, report, samples):
    for taken in (None, samples):
        text = plugin.render(report, taken)
        assert report.verdict.status.value in text
        text.encode("utf-8")


def test_rendering_is_repeatable_and_leaves_the_report_alone(plugin, report, samples):
    before = report.model_dump_json()
    assert plugin.render(report, samples) == plugin.render(report, samples)
    assert report.model_dump_json() == before


def test_a_report_tells_its_failure_findings_and_command(plugin):
    report = Report.model_validate_json(VARIANTS["incomplete"].read_bytes())
    text = plugin.render(report, None)
    for fact in (report.measurements.failure, "incomplete-run", report.measurements.command):
        assert fact in text


def test_a_suite_renders_whatever_its_runs_came_to(plugin):
    reports = [Report.model_validate_json(path.read_bytes()) for path in VARIANTS.values()]
    text = plugin.render_suite(reports)
    for report in reports:
        assert report.verdict.status.value in text
    plugin.render_suite([])


def test_saved_names_do_not_clash():
    names = [registry.report_format(name).SUFFIX for name in registry.names("formats")]
    saved = [name for name in names if name]
    assert len(saved) == len(set(saved))
    assert all("." in name and "/" not in name for name in saved)


def test_each_format_says_what_it_is():
    assert all(registry.summary("formats", name).endswith(".") for name in registry.names("formats"))


@pytest.mark.parametrize("file", sorted((SAMPLE / "studies").glob("*.json")), ids=lambda path: path.stem)
def test_a_study_renders_the_same_each_time_and_tells_its_answer_and_findings(plugin, file):
    study = STUDY.validate_json(file.read_bytes())
    text = plugin.render_study(study)
    assert plugin.render_study(study) == text
    text.encode("utf-8")
    assert "\x1b[31m" not in text
    for finding in study.findings:
        assert finding.name in text or "alert(1)" in finding.name
    for point in getattr(study, "points", ()):
        assert point.status.value in text
    for difference in getattr(study, "differences", ()):
        assert difference.answer in text
