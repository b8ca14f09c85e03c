"""Folders of finished runs, made of the sample report: each as slow as asked, with real files and real verdicts."""

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.cli import harness
from harness.judge.verdict import judge
from harness.pipeline.run_dir import RunDir
from harness.records import Report
from harness.samples import Samples

SAMPLE = Path(__file__).resolve().parents[2] / "sample_report"


@pytest.fixture(scope="session")
def sample_report():
    return Report.model_validate_json((SAMPLE / "reports" / "pass.json").read_bytes())


@pytest.fixture(scope="session")
def sample_samples():
    return Samples.load(SAMPLE / "samples.npz")


@pytest.fixture
def add_run(tmp_path, sample_report, sample_samples):
    """`add_run(day, slower=1.0, environment={}, scenario={}, **measurements)`: a run of that day in `tmp_path`."""

    def add(day, slower=1.0, environment=None, scenario=None, **more):
        run = sample_report.measurements
        measured = run.model_copy(
            update={
                "created": f"2026-01-{day:02d}T00:00:00+00:00",
                "environment": run.environment | (environment or {}),
                "scenario": run.scenario | (scenario or {}),
                **more,
            }
        )
        known = sample_samples
        samples = replace(known, done_s=known.due_s + (known.done_s - known.due_s) * slower)
        folder = RunDir(tmp_path / f"feed-25ms-2026-01-{day:02d}")
        folder.path.mkdir()
        folder.save_measurements(measured)
        samples.save(folder.path / "samples.npz")
        report = judge(folder.scenario(), measured, samples).model_copy(update={"run": folder.path.name})
        folder.write("result.json", report.model_dump_json())
        return folder

    return add


@pytest.fixture
def invoke(tmp_path):
    return lambda *arguments: CliRunner().invoke(harness, [str(a) for a in arguments], standalone_mode=False)
