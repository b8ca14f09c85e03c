"""A ranking server that this project has no part in: MLServer with its LightGBM runtime, load-tested as it comes.

Its pins conflict with ours, so it lives in an environment of its own:

    python3 -m venv mlserver-env && mlserver-env/bin/pip install mlserver==1.7.1 mlserver-lightgbm==1.7.1
    MLSERVER_PYTHON=mlserver-env/bin/python pytest tests/e2e/test_mlserver.py
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from ruamel.yaml import YAML

PYTHON = Path(os.environ.get("MLSERVER_PYTHON", "")).absolute()

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("no_orphans"),
    pytest.mark.skipif("MLSERVER_PYTHON" not in os.environ, reason="MLSERVER_PYTHON names no environment of MLServer"),
    pytest.mark.skipif(not PYTHON.is_file(), reason=f"MLSERVER_PYTHON: there is no {PYTHON.name} in that place"),
]


def free_ports(n: int) -> list[int]:
    """Ports that no one listened on just now, all different."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(n)]
        return [each.getsockname()[1] for each in sockets]


@dataclass
class MLServer:
    """A model repository with one model, and how to start and reach a server of it."""

    folder: Path
    port: int

    @property
    def command(self) -> list[str]:
        return [str(PYTHON.with_name("mlserver")), "start", str(self.folder)]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v2/models/ranker/infer"

    def ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/v2/models/ranker/ready", timeout=5) as answer:
                return answer.status == 200
        except (urllib.error.URLError, ConnectionError):
            return False


@pytest.fixture
def mlserver(teacher, tmp_path) -> MLServer:
    """MLServer's files for a LightGBM ranker that the harness trained."""
    http, grpc, metrics = free_ports(3)
    folder = tmp_path / "repository"
    folder.mkdir()
    settings = {
        "host": "127.0.0.1", "http_port": http, "grpc_port": grpc, "metrics_port": metrics, "parallel_workers": 0,
        "metrics_dir": str(folder),
    }  # fmt: skip
    model = {
        "name": "ranker",
        "implementation": "mlserver_lightgbm.LightGBMModel",
        "parameters": {"uri": str(teacher("lightgbm").path / "model.txt")},
    }
    (folder / "settings.json").write_text(json.dumps(settings))
    (folder / "model-settings.json").write_text(json.dumps(model))
    return MLServer(folder, http)


def scenario(cli, mlserver: MLServer, bundle: Path, **target: object) -> Path:
    content = {
        "name": "mlserver",
        "target": {"url": mlserver.url, "adapter": {"kind": "oip"}, "bundle": str(bundle), **target},
        "traffic": {
            "offered_qps": 60, "n_candidates": 20, "n_features": 12, "warm_up_s": 0.5, "window_s": 4, "rounds": 1,
        },
        "sla": {"p50_ms": 500, "error_rate": 0},
    }  # fmt: skip
    path = cli.root / "mlserver.yaml"
    YAML().dump(content, path)
    return path


def passes_with_right_answers(cli, done: subprocess.CompletedProcess) -> None:
    """Every request was answered, and every answer had the scores of the bundle."""
    assert cli.ended(done, 0), done.stdout + done.stderr
    result = cli.result("mlserver")
    (measure,) = result["measures"]
    assert measure["n_ok"] == measure["n_planned"] > 200
    (audit,) = result["measurements"]["audits"]
    assert audit["n_checked"] >= measure["n_ok"]
    assert audit["compared_with"]
    assert audit["n_different"] == audit["n_malformed"] == audit["n_wrong_length"] == 0
    assert audit["largest_difference"] < 1e-5


def test_mlserver_as_it_comes(cli, mlserver, teacher) -> None:
    process = subprocess.Popen(
        mlserver.command, cwd=mlserver.folder, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
    )
    try:
        while not mlserver.ready():
            assert process.poll() is None, "MLServer ended before it was ready"
            time.sleep(0.1)
        passes_with_right_answers(cli, cli("run", scenario(cli, mlserver, teacher("lightgbm").path)))
    finally:
        process.terminate()
        process.wait(20)


def test_mlserver_started_by_the_harness_is_gone_afterwards(cli, mlserver, teacher) -> None:
    path = scenario(cli, mlserver, teacher("lightgbm").path, command=mlserver.command)
    passes_with_right_answers(cli, cli("run", path))
    assert not mlserver.ready()
