"""The Python API, on one real run that a notebook's event loop stands around, and on one of the command line."""

import asyncio
import io
import math
import shlex
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import harness
from harness.events import LoadProgress, ScenarioDone, StageDone
from harness.pipeline.verify import verify
from harness.records import SUBJECTS


@dataclass(frozen=True)
class InNotebook:
    """A finished run, its scenario, what it told, and what it printed."""

    finished: harness.FinishedRun
    scenario: Path
    told: list
    printed: str


@pytest.fixture(scope="module")
def notebook(tmp_path_factory, shared_cache, make_cli) -> InNotebook:
    cli = make_cli(tmp_path_factory.mktemp("notebook"), shared_cache)
    engine, traffic = {"kind": "fake", "mean_ms": 1}, {"window_s": 1, "warm_up_s": 0.2}
    scenario = cli.scenario("from-python", engine=engine, traffic=traffic)
    told, printed = [], io.StringIO()

    async def cell() -> harness.FinishedRun:
        overrides = ["traffic.offered_qps=80"]
        return harness.run(scenario, overrides=overrides, out=cli.root / "results", progress=told.append)

    with pytest.MonkeyPatch.context() as patch, redirect_stdout(printed), redirect_stderr(printed):
        patch.setenv("HARNESS_CACHE", str(shared_cache))
        finished = asyncio.run(cell())
    return InNotebook(finished, scenario, told, printed.getvalue())


def test_a_run_gives_its_report_and_prints_nothing(notebook, ends_in):
    finished = notebook.finished
    assert notebook.printed == ""
    ends_in(finished.report, "PASS")
    assert finished.verdict == finished.report.verdict.status.value
    assert (finished.path / "report.html").is_file()
    again = shlex.split(finished.report.measurements.command)
    assert again[:2] == ["harness", "run"]
    assert again[-2:] == ["--out", str(finished.path.parent)]
    assert "traffic.offered_qps=80" in again


def test_progress_is_told_as_events(notebook):
    done = [event.stage for event in notebook.told if isinstance(event, StageDone)]
    assert done == [
        "data",
        "ranker lightgbm",
        "engines",
        "engine times",
        "memory",
        "servers",
        "load",
        "audit",
        "report",
    ]
    assert any(isinstance(event, LoadProgress) and event.latency_ms for event in notebook.told)
    assert notebook.told[-1] == ScenarioDone("from-python", notebook.finished.verdict, notebook.finished.path.name)
    kept = (notebook.finished.path / "progress.jsonl").read_text().splitlines()
    assert len(kept) == len(notebook.told)


def test_a_finished_run_is_true_to_its_samples(notebook):
    (found,) = verify(notebook.finished.path)
    assert found.true, found.faults


def test_samples_are_a_frame_of_all_planned_requests(notebook):
    samples = notebook.finished.samples
    (measure,) = [m for m in notebook.finished.report.measures if m.target in SUBJECTS]
    judged = samples[samples.in_window]
    assert len(judged) == measure.n_planned > 40
    assert set(samples.target) == {measure.target}
    assert (judged.latency_ms >= judged.round_trip_ms).all()
    assert np.quantile(judged.latency_ms, 0.5) == pytest.approx(measure.latency_ms["p50"], rel=0.05)


def test_objectives_and_ledger_are_frames(finished):
    read = harness.load_report(finished.only_run())
    assert read.objectives.loc["p50_ms", "limit"] == 1000
    assert read.objectives.loc["p50_ms", "headroom"] == pytest.approx(1000 - read.objectives.loc["p50_ms", "measured"])
    assert read.objectives.loc["p50_ms", "status"] in ("PASS", "INVALID")
    steps = read.ledger[~read.ledger.is_control]
    assert list(steps.index) == ["lightgbm", "truncate", "quantise", "served by tl2cgen"]
    assert steps.loc["truncate", "n_trees"] == 5
    assert steps.engine_us.dtype == np.float64
    assert read.report.model_dump_json() == (finished.only_run() / "result.json").read_text()


def test_a_suite_is_a_frame_and_resumes(notebook, tmp_path):
    out = notebook.finished.path.parent
    broken = tmp_path / "broken.yaml"
    broken.write_text("name: broken\nranker: {kind: file, path: nowhere.txt}\nsla: {p99_ms: 25}\n")
    suite = harness.run_suite(
        [notebook.scenario, broken], overrides=["traffic.offered_qps=80"], out=out, resume=True
    )  # fmt: skip
    assert [run.path for run in suite.runs] == [notebook.finished.path]
    assert list(suite.failures) == ["broken"]
    row = suite.frame.loc["from-python"]
    assert row.verdict == notebook.finished.verdict
    assert row.p99_ms > 0
    assert not math.isnan(row.ndcg)
    page = suite._repr_html_()
    assert "from-python" in page
    assert "nowhere.txt" in page


def test_wrong_usage_is_a_harness_error(tmp_path):
    with pytest.raises(harness.HarnessError, match="no such file"):
        harness.run(tmp_path / "absent.yaml")
    with pytest.raises(harness.HarnessError, match="not a run directory"):
        harness.load_report(tmp_path)
