"""What needs no run: names, laziness, and the notebook's block on the shared sample report."""

import subprocess
import sys
from pathlib import Path

import pytest

import harness
from harness.api import block, frames
from harness.records import Report

REPORTS = Path(__file__).resolve().parents[2] / "sample_report" / "reports"


def report_of(name):
    return Report.model_validate_json((REPORTS / f"{name}.json").read_bytes())


def test_the_names_are_all_there_and_others_are_not():
    assert set(harness.__all__) <= set(dir(harness))
    assert all(getattr(harness, name) is not None for name in harness.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'rum'"):
        harness.rum  # noqa: B018


def test_importing_it_loads_nothing():
    code = "import sys, harness; print([m for m in sys.modules if m.startswith('harness') or m == 'pandas'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['harness']"


@pytest.mark.parametrize("name", sorted(path.stem for path in REPORTS.glob("*.json")))
def test_the_block_is_whole_for_every_way_that_a_run_can_end(name):
    report = report_of(name)
    page = block.of_run(report)
    assert report.verdict.status.value in page
    assert page.count("<table>") == page.count("</table>") >= 1
    assert ("Incomplete run" in page) == (not report.measurements.complete)
    for hostile in ("<script>", "\x1b", "\u202e"):
        assert hostile not in page


def test_the_block_says_what_was_measured():
    page = block.of_run(report_of("pass"))
    for part in ("✓ PASS", "p99", "headroom", "faster", "NDCG@10"):
        assert part in page
    suite = block.of_suite([report_of("pass"), report_of("fail")], {"<b>broken</b>": "no <i>model</i>"})
    assert "✗ FAIL" in suite
    assert "&lt;b&gt;broken" in suite
    assert "<i>" not in suite


@pytest.mark.parametrize("name", ["pass", "target", "incomplete", "truncated"])
def test_frames_have_a_row_for_all_there_is(name):
    report = report_of(name)
    ledger = report.measurements.ledger
    assert list(frames.objectives(report).index) == [result.name for result in report.verdict.objectives]
    assert len(frames.ledger(report)) == len(ledger) + sum(row.control is not None for row in ledger)
    assert list(frames.suite([(Path("run"), report)]).verdict) == [report.verdict.status.value]


def test_a_control_stands_behind_its_step():
    rows = frames.ledger(report_of("pass"))
    first_control = rows.is_control.to_list().index(True)
    step = next(row for row in report_of("pass").measurements.ledger if row.control is not None)
    assert list(rows.index[first_control - 1 : first_control + 1]) == [step.step, step.control.step]
    assert rows.ndcg_drop.iloc[first_control] == step.control.quality.drop
