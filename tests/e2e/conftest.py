"""Run the command line as its users do: in a process of its own, with a cache of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from ruamel.yaml import YAML

TINY = {
    "name": "tiny",
    "data": {"kind": "synthetic_feed", "train_groups": 150, "valid_groups": 40, "test_groups": 60},
    "ranker": {"kind": "lightgbm", "n_trees": 10, "n_leaves": 8},
    "engine": "native",
    "traffic": {
        "offered_qps": 50, "n_candidates": 20, "warm_up_s": 0.3, "window_s": 2, "rounds": 1, "teacher": False,
    },
    "sla": {"p50_ms": 1000},
}  # fmt: skip

DISTURBED = {
    "foreign-cpu", "steal", "pressure", "throttled", "send-lag", "generator-busy", "loop-lag", "arrivals-off-plan",
    "latency-drift",
}  # fmt: skip
"""Findings that a busy machine raises, whatever is tested on it."""


@dataclass
class Cli:
    """`harness` in a process of its own, writing under `root`."""

    root: Path
    cache: Path

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "HARNESS_CACHE": str(self.cache), "PYTHONWARNINGS": "default"}

    def start(self, *arguments: object, **kwargs) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, "-m", "harness", *map(str, arguments)],
            cwd=self.root, env=self.environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, **kwargs,
        )  # fmt: skip

    def __call__(self, *arguments: object, timeout: float = 240, **kwargs) -> subprocess.CompletedProcess:
        process = self.start(*arguments, **kwargs)
        try:
            stdout, stderr = process.communicate(timeout=timeout)
        finally:
            process.kill()
        return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)

    def scenario(self, name: str = "tiny", **changes: object) -> Path:
        """A scenario file: TINY with blocks merged in; a block that names its `kind` replaces the whole block."""
        content = {**TINY, "name": name}
        for key, value in changes.items():
            both = isinstance(value, dict) and isinstance(content.get(key), dict) and "kind" not in value
            content[key] = {**content[key], **value} if both else value
        path = self.root / f"{name}.yaml"
        YAML().dump(content, path)
        return path

    def ended(self, done: subprocess.CompletedProcess, code: int) -> bool:
        """Whether a command ended with this code, or with 4 where only a disturbed machine made its runs INVALID."""
        reports = [json.loads(path.read_text()) for path in self.root.glob("results/*/result.json")]
        hard = {finding["name"] for report in reports for finding in report["verdict"]["findings"] if finding["hard"]}
        return done.returncode == code or (done.returncode == 4 and bool(hard) and hard <= DISTURBED)

    def only_run(self, name: str = "tiny") -> Path:
        (run_dir,) = (self.root / "results").glob(f"{name}-*/")
        return run_dir

    def result(self, name: str = "tiny") -> dict:
        return json.loads((self.only_run(name) / "result.json").read_text())


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def cli(tmp_path, shared_cache) -> Cli:
    return Cli(tmp_path, shared_cache)


@pytest.fixture
def no_orphans():
    """After the test, every process it started is gone (asked for some seconds, then it fails)."""
    before = {p.pid for p in psutil.process_iter()}
    yield
    ours = [
        p
        for p in psutil.process_iter(["cmdline"])
        if p.pid not in before and any("harness" in part for part in p.info["cmdline"] or [])
    ]
    _, alive = psutil.wait_procs(ours, timeout=10)
    assert not alive, f"left behind: {[(p.pid, p.info['cmdline'][:6]) for p in alive]}"
