"""What every tracker keeps to, whoever wrote it: a run arrives whole, and what fails is told without a secret."""

import gzip
import importlib.util
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness import registry
from harness.cli import harness
from harness.errors import SinkError
from harness.pipeline.run_dir import RunDir
from harness.pipeline.tracking import publish_to
from harness.records import Report
from harness.samples import Samples

SAMPLE = Path(__file__).resolve().parents[1] / "sample_report"
LIBRARIES = {"mlflow": "mlflow", "opentelemetry": "opentelemetry.exporter.otlp.proto.http", "wandb": "wandb"}
UNREACHABLE = {
    "mlflow": {"MLFLOW_TRACKING_URI": "http://user:hunter22@127.0.0.1:{port}", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"},
    "opentelemetry": {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://user:hunter22@127.0.0.1:{port}", "OTEL_EXPORTER_OTLP_TIMEOUT": "1",
    },
    "wandb": {"WANDB_API_KEY": "hunter22", "WANDB_BASE_URL": "not-an-address"},
}  # fmt: skip


@pytest.fixture
def run_dir(tmp_path):
    """A finished run, as it lies on the disk."""
    folder = tmp_path / "feed-25ms-20250131T120000-0a1b2c3d"
    folder.mkdir()
    report = Report.model_validate_json((SAMPLE / "reports" / "pass.json").read_bytes())
    (folder / "result.json").write_text(report.model_dump_json())
    (folder / "measurements.json").write_text(report.measurements.model_dump_json())
    (folder / "report.html").write_text("<!DOCTYPE html>")
    Samples.load(SAMPLE / "samples.npz").save(folder / "samples.npz")
    return RunDir(folder)


@pytest.fixture(params=registry.names("sinks"))
def sink(request, monkeypatch, tmp_path):
    """The name of a tracker whose library is here; nothing of the user's environment reaches it."""
    try:
        found = importlib.util.find_spec(LIBRARIES[request.param])
    except ModuleNotFoundError:
        found = None
    if found is None:
        pytest.skip(f"the extra `{request.param}` is not installed")
    for name in [*UNREACHABLE[request.param], "WANDB_MODE", "WANDB_PROJECT", "MLFLOW_EXPERIMENT_NAME"]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    yield request.param
    if (wandb := sys.modules.get("wandb")) is not None:
        wandb.teardown()  # it reads its environment once for a process


@pytest.fixture
def arrived(sink, monkeypatch, tmp_path, serve_http):
    """`arrived()`: all bytes that the tracker was given, itself on this machine alone."""
    if sink == "mlflow":
        monkeypatch.setenv("MLFLOW_TRACKING_URI", str(tmp_path / "mlruns"))
        monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    if sink == "wandb":
        monkeypatch.setenv("WANDB_MODE", "offline")
    bodies = []

    def answer(method, path, headers, body):
        bodies.append(gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body)
        return 200, {"Content-Type": "application/x-protobuf"}, b""

    if sink == "opentelemetry":
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", serve_http(answer))
    folders = (tmp_path / "mlruns", tmp_path / "wandb")
    return lambda: b"".join(
        [*bodies, *(str(p).encode() + p.read_bytes() for f in folders for p in sorted(f.rglob("*")) if p.is_file())]
    )


@pytest.mark.filterwarnings("default")  # of the trackers' own libraries
def test_a_run_arrives_with_its_name_verdict_figures_and_scenario(sink, arrived, run_dir, capsys):
    said = publish_to(sink, run_dir)
    given = arrived()
    for word in (b"feed-25ms", b"PASS", b"ndcg_drop", b"p99_ms"):
        assert word in given
    assert said
    assert capsys.readouterr().out == "", "standard output is the report's"


@pytest.mark.filterwarnings("default")
def test_a_tracker_that_cannot_be_reached_is_told_without_secrets_and_the_run_is_kept(
    sink, run_dir, monkeypatch, free_port, capfd
):
    for name, value in UNREACHABLE[sink].items():
        monkeypatch.setenv(name, value.format(port=free_port))
    before = {path.name for path in run_dir.path.iterdir()}
    failed = CliRunner().invoke(harness, ["publish", str(run_dir.path), "--to", sink], standalone_mode=False)
    assert failed.return_value == 3
    assert f"{run_dir.path.name} to {sink}" in failed.stderr
    assert "hunter22" not in failed.output + "".join(capfd.readouterr())
    assert before <= {path.name for path in run_dir.path.iterdir()}


def test_a_missing_library_names_its_extra(sink, run_dir, monkeypatch):
    for name in UNREACHABLE[sink]:
        monkeypatch.setenv(name, "x")
    for name in [name for name in sys.modules if name.partition(".")[0] == sink]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, sink, None)
    with pytest.raises(SinkError, match=rf"not installed(.|\n)*ranking-latency-harness\[{sink}\]"):
        publish_to(sink, run_dir)


def test_each_tracker_has_an_extra_and_says_what_it_is():
    import tomllib

    extras = tomllib.loads((SAMPLE.parents[1] / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for name in registry.names("sinks"):
        assert name in extras
        assert registry.summary("sinks", name).endswith(".")
        assert name.upper().replace("OPENTELEMETRY", "OTEL") in registry.docstring("sinks", name)


def test_an_unknown_tracker_is_refused_before_anything_is_sent_or_run(run_dir):
    for arguments in (["publish", str(run_dir.path), "--to", "mlfow"], ["run", "none.yaml", "--sink", "mlfow"]):
        failed = CliRunner().invoke(harness, arguments, standalone_mode=False)
        assert "no sink 'mlfow' (did you mean 'mlflow'?" in str(failed.exception)
