import json
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from harness import __version__
from harness.cli import harness
from harness.errors import UsageError
from harness.pipeline import RunDir, publish, save_suite
from harness.pipeline.differing import facts_differ
from harness.pipeline.digests import write_sums
from harness.pipeline.recorder import Recorder
from harness.pipeline.verify import Verification, verify
from harness.records import Report
from harness.samples import Samples
from harness.scenario import from_resolved, resolved

SAMPLE = Path(__file__).resolve().parents[2] / "sample_report"


@pytest.fixture
def run_dir(tmp_path):
    """A published run of the sample's measurements."""
    known = Report.model_validate_json((SAMPLE / "reports" / "pass.json").read_bytes()).measurements
    run = RunDir(tmp_path / "feed-25ms-1")
    run.path.mkdir()
    asked = from_resolved(known.scenario | {"compress": []})
    run.save_scenario(asked)
    now = {"rate_tests": (), "tool_version": __version__, "scenario": resolved(asked)}
    run.save_measurements(known.model_copy(update=now))
    Samples.load(SAMPLE / "samples.npz").save(run.path / "samples.npz")
    publish(run)
    return run


def faults(run_dir):
    return "\n".join(verify(run_dir.path)[0].faults)


def edited(path, change):
    document = json.loads(path.read_text(encoding="utf-8"))
    change(document)
    path.write_text(json.dumps(document), encoding="utf-8")


def slower(run_dir):
    samples = Samples.load(run_dir.path / "samples.npz")
    samples.done_s[:] = np.where(samples.target == 1, samples.done_s + 0.1, samples.done_s)
    samples.save(run_dir.path / "samples.npz")


def test_what_was_published_is_true_and_other_tools_agree_on_the_digests(run_dir):
    assert verify(run_dir.path)[0].true, faults(run_dir)
    subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=run_dir.path, check=True)
    assert set(run_dir.report().made_of) == {"measurements.json", "samples.npz", "scenario.yaml"}


def test_what_a_run_tells_after_its_report_changes_no_digest(run_dir):
    Recorder(run_dir.path, lambda event: None)("report: done")
    publish(run_dir)
    Recorder(run_dir.path, lambda event: None)("all done")
    assert verify(run_dir.path)[0].true, faults(run_dir)


def test_changed_samples_are_named_and_contradict_the_verdict(run_dir):
    slower(run_dir)
    told = faults(run_dir)
    assert "samples.npz: changed since SHA256SUMS was made" in told
    assert "samples.npz: changed since the report was made" in told
    assert "the verdict says PASS, the samples give FAIL" in told


def test_changed_samples_with_digests_made_anew_still_contradict_the_report(run_dir):
    slower(run_dir)
    write_sums(run_dir)
    told = faults(run_dir)
    assert "SHA256SUMS" not in told
    assert "the verdict says PASS, the samples give FAIL" in told


def test_a_changed_verdict_is_named(run_dir):
    edited(run_dir.path / "result.json", lambda report: report["verdict"].update(status="FAIL"))
    told = faults(run_dir)
    assert "result.json: changed since" in told
    assert "the verdict says FAIL, the samples give PASS" in told


def test_a_changed_scenario_is_named_with_its_key(run_dir):
    file = run_dir.path / "scenario.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("p99_ms: 25.0", "p99_ms: 2500.0"), encoding="utf-8")
    assert "scenario.yaml: sla.p99_ms is 2500.0, was measured with 25.0" in faults(run_dir)
    edited(run_dir.path / "measurements.json", lambda kept: kept["scenario"]["sla"].update(p99_ms=2500.0))
    assert "result.json: scenario.sla.p99_ms is 25.0, measurements.json says 2500.0" in faults(run_dir)


@pytest.mark.parametrize("name", ["report.html", "summary.md", "junit.xml", "badge.svg"])
def test_a_changed_page_is_named(run_dir, name):
    page = run_dir.path / name
    page.write_text(page.read_text(encoding="utf-8").replace("PASS", "FAIL"), encoding="utf-8")
    write_sums(run_dir)
    assert faults(run_dir) == f"{name}: is not what its files give"


def test_files_that_went_or_came_are_noted_and_missing_samples_are_missed(run_dir):
    (run_dir.path / "note.txt").write_text("mine", encoding="utf-8")
    found = verify(run_dir.path)[0]
    assert found.true
    assert found.notes == ("added since SHA256SUMS was made: note.txt",)
    (run_dir.path / "samples.npz").unlink()
    found = verify(run_dir.path)[0]
    assert "missing since SHA256SUMS was made: samples.npz" in found.notes
    assert "the verdict says PASS, the samples give INVALID" in found.faults[0]


def test_a_run_that_tells_how_it_ended_after_it_was_published_is_true(run_dir):
    told = Recorder(run_dir.path, lambda _: None)
    told("before")
    publish(run_dir)
    told("after")
    assert verify(run_dir.path)[0] == Verification(run_dir.path)


def test_a_report_laid_out_otherwise_says_the_same(run_dir):
    edited(run_dir.path / "result.json", lambda report: None)
    write_sums(run_dir)
    assert verify(run_dir.path)[0].true


def test_a_run_of_another_version_is_judged_and_its_pages_are_left_alone(run_dir):
    edited(run_dir.path / "measurements.json", lambda kept: kept.update(tool_version="0.0.1"))
    publish(run_dir)
    (run_dir.path / "report.html").write_text("other", encoding="utf-8")
    (run_dir.path / "SHA256SUMS").unlink()
    found = verify(run_dir.path)[0]
    assert found.true
    assert len(found.notes) == 2


def test_the_command_takes_folders_and_suites_and_tells_by_its_exit_code(run_dir):
    out = run_dir.path.parent
    save_suite([run_dir], out, "suite")
    invoke = lambda *arguments: CliRunner().invoke(harness, ["verify", *map(str, arguments)], standalone_mode=False)  # noqa: E731
    told = invoke(out)
    assert told.return_value == 0, told.output
    assert told.output.count("true  ") == 2
    page = next(out.glob("suite-*.html"))
    page.write_text("other", encoding="utf-8")
    told = invoke("--json", next(out.glob("suite-*.json")))
    assert told.return_value == 1
    assert f"{page.name}: is not what" in json.loads(told.output)[0]["faults"][0]


def test_what_a_suite_says_of_its_runs_together_is_compared(run_dir):
    save_suite([run_dir], run_dir.path.parent, "suite")
    path = next(run_dir.path.parent.glob("suite-*.json"))
    assert verify(path)[0].true
    edited(path, lambda suite: suite.update(left_out=[{"name": "a", "why": "b"}]))
    assert any("left_out" in fault for fault in verify(path)[0].faults)


def test_a_folder_without_runs_is_bad_usage(tmp_path):
    with pytest.raises(UsageError, match="nothing to verify here"):
        verify(tmp_path)


def test_a_run_whose_records_are_gone_is_not_passed_over(run_dir):
    for name in ("result.json", "measurements.json", "SHA256SUMS"):
        (run_dir.path / name).unlink()
    (found,) = verify(run_dir.path.parent)
    assert "no readable result.json" in found.faults[0]


@pytest.mark.parametrize(
    "added", ["<svg><text>PASS</text></svg>", "<svg><foreignObject><b>PASS</b></foreignObject></svg>"]
)
def test_a_picture_that_was_added_or_holds_more_than_is_drawn_is_found(run_dir, added):
    page = run_dir.path / "report.html"
    text = page.read_text(encoding="utf-8")
    for forged in (
        text.replace("<main", f"{added}<main", 1),
        re.sub(r"<svg\b.*?</svg>", added, text, count=1, flags=re.S),
    ):
        page.write_text(forged, encoding="utf-8")
        write_sums(run_dir)
        assert faults(run_dir) == "report.html: is not what its files give"


def test_the_fonts_of_a_picture_may_be_others(run_dir):
    page = run_dir.path / "report.html"
    text = page.read_text(encoding="utf-8")
    page.write_text(re.sub(r"<svg\b[^>]*>", '<svg width="3">', text), encoding="utf-8")
    write_sums(run_dir)
    assert verify(run_dir.path)[0].true


def test_whole_numbers_differ_by_one_however_large():
    assert list(facts_differ({"seed": 12_345_678_901}, {"seed": 12_345_678_902}, "was measured with"))
    assert not list(facts_differ({"p99_ms": 25.0}, {"p99_ms": 25.0 * (1 + 1e-12)}, "the samples give"))
    assert not list(facts_differ({"p99_ms": 25}, {"p99_ms": 25.0}, "the samples give"))
