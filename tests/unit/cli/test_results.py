import io

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from harness.cli import harness
from harness.cli.step_summary import append_step_summary
from harness.errors import UsageError
from harness.samples import Samples


@pytest.fixture
def run_dir(tmp_path):
    """A run directory that holds samples and nothing else."""
    Samples(
        targets=("teacher", "compressed"),
        target=np.array([1, 0, 1], np.int16),
        segment=np.zeros(3, np.int16),
        in_window=np.array([True, True, False]),
        due_s=np.array([0.0, 0.1, 0.2]),
        sent_s=np.array([0.001, 0.101, np.nan]),
        done_s=np.array([0.005, 0.2, np.nan]),
        status=np.array([200, 503, 0], np.int16),
        n_candidates=np.full(3, 100, np.int32),
        body=np.arange(3, dtype=np.int32),
    ).save(tmp_path / "samples.npz")
    return tmp_path


def invoke(*arguments):
    return CliRunner().invoke(harness, [str(one) for one in arguments], standalone_mode=False)


def test_samples_are_rows_with_times_in_ms(run_dir):
    told = pd.read_csv(io.StringIO(invoke("samples", run_dir).output))
    assert list(told["target"]) == ["compressed", "teacher", "compressed"]
    assert list(told["latency_ms"]) == [pytest.approx(5.0), float("inf"), float("inf")]
    assert list(told["send_lag_ms"][:2]) == pytest.approx([1.0, 1.0])


def test_parquet_and_csv_hold_the_same(run_dir, tmp_path):
    for name in ("all.csv", "all.parquet"):
        assert invoke("samples", run_dir, "--out", tmp_path / name).exception is None
    csv, parquet = pd.read_csv(tmp_path / "all.csv"), pd.read_parquet(tmp_path / "all.parquet")
    pd.testing.assert_frame_equal(csv, parquet.astype({"target": str}), check_dtype=False)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--out", "all.txt"), "name a .csv or a .parquet file"),
        (("--out", "no/such/all.csv"), "can't write"),
    ],
)
def test_what_can_not_be_written_is_named(run_dir, arguments, message):
    error = invoke("samples", run_dir, *arguments).exception
    assert isinstance(error, UsageError)
    assert message in str(error)


def test_a_run_without_samples_is_told(tmp_path):
    assert "ended before its load test" in str(invoke("samples", tmp_path).exception)


def test_the_step_summary_is_appended_to_and_never_ends_a_run(tmp_path, monkeypatch, capsys):
    summary = tmp_path / "summary"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    append_step_summary("one")
    append_step_summary("two")
    assert summary.read_text(encoding="utf-8") == "one\ntwo\n"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    append_step_summary("three")
    assert "could not append" in capsys.readouterr().err
