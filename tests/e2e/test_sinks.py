"""A tracker that can't be reached costs the exit code, and nothing that was measured."""

from __future__ import annotations

import importlib.util
import json

import pytest


@pytest.mark.skipif(not importlib.util.find_spec("opentelemetry"), reason="the extra `opentelemetry` is not installed")
def test_a_run_is_kept_where_its_tracker_does_not_take_it(cli, free_port, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{free_port}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    done = cli("run", cli.scenario(traffic={"window_s": 1}), "--sink", "opentelemetry", "--json")
    assert done.returncode == 3
    assert "did not take the metrics" in done.stderr
    report = json.loads(done.stdout)
    assert f"harness publish results/{report['run']} --to opentelemetry" in done.stderr
    assert report["measurements"]["complete"]
    assert (cli.root / "results" / report["run"] / "report.html").is_file()
