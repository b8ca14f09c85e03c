"""Run the command line, in the process of the test or in one of its own, and start servers of known behaviour."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from ruamel.yaml import YAML

from harness.cli import main
from harness.judge.disturbances import DISTURBANCES
from harness.records import Report

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

DISTURBED = DISTURBANCES | {"shared-core"}
"""Findings that a small or busy machine raises, whatever is tested on it."""


ATTEMPTS = 3


def hard_findings(judged: dict) -> set[str]:
    """Names of the hard findings of a verdict or study, those of a load test at `min_qps` included."""
    reasons = [objective["reason"] for objective in judged.get("objectives", ())]
    at_min_qps = re.findall(r"can't be trusted \((.*?)\)", " ".join(reasons))
    own = [finding["name"] for finding in judged["findings"] if finding["hard"]]
    return {*own, *(name for names in at_min_qps for name in names.split(", "))}


def only_disturbed(*judged: dict) -> bool:
    """Whether there are hard findings, and all of them are the machine's."""
    hard = set().union(*map(hard_findings, judged))
    return bool(hard) and hard <= DISTURBED


TEST_FOLDER = "HARNESS_TEST_FOLDER"
"""Marks the processes of one test, for all that they start inherits it."""


@dataclass
class Cli:
    """`cli("run", path)`: `harness run` under `root`, all but the start of a process being that of a user."""

    root: Path
    cache: Path

    @property
    def environment(self) -> dict[str, str]:
        return {"HARNESS_CACHE": str(self.cache), "PYTHONWARNINGS": "default", TEST_FOLDER: str(self.root)}

    def __call__(self, *arguments: object) -> subprocess.CompletedProcess:
        """The command in this process, which has its libraries loaded, with a user's environment and folder."""
        words, stdout, stderr = ["harness", *map(str, arguments)], io.StringIO(), io.StringIO()
        handlers = [(number, signal.getsignal(number)) for number in (signal.SIGINT, signal.SIGTERM)]
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(stdout), redirect_stderr(stderr):
            patch.chdir(self.root)
            patch.setattr(sys, "argv", words)
            for name, value in self.environment.items():
                patch.setenv(name, value)
            try:
                with pytest.raises(SystemExit) as ended:
                    main()
            finally:
                for number, handler in handlers:
                    signal.signal(number, handler)
        return subprocess.CompletedProcess(words, ended.value.code, stdout.getvalue(), stderr.getvalue())

    def start(self, *arguments: object, **kwargs) -> subprocess.Popen:
        """The command in a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "harness", *map(str, arguments)],
            cwd=self.root, env=os.environ | self.environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, **kwargs,
        )  # fmt: skip

    def apart(self, *arguments: object, timeout_s: float = 240, **kwargs) -> subprocess.CompletedProcess:
        """The command in a process of its own, once it has ended."""
        process = self.start(*arguments, **kwargs)
        try:
            stdout, stderr = process.communicate(timeout=timeout_s)
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
        """Whether a command ended with this code, or with 4 where only a disturbed machine kept it from that."""
        runs = [json.loads(path.read_text())["verdict"] for path in self.root.glob("results/*/result.json")]
        studies = [json.loads(path.read_text()) for path in self.root.glob("results/*/compare.json")]
        return done.returncode == code or (done.returncode == 4 and only_disturbed(*runs, *studies))

    def run_undisturbed(self, scenario: Path) -> tuple[subprocess.CompletedProcess, Path, dict]:
        """`harness run`, again where a disturbed machine made it INVALID: how it ended, its folder, its result.

        The test is skipped where the machine never is quiet.
        """
        for _ in range(ATTEMPTS):
            done = self("run", scenario, "--json")
            result = json.loads(done.stdout)
            raised = DISTURBED & hard_findings(result["verdict"])
            if not raised:
                return done, self.root / "results" / result["run"], result
        pytest.skip(f"this machine was never quiet enough to measure: {', '.join(raised)}")

    def runs(self, name: str = "tiny") -> list[Path]:
        return sorted((self.root / "results").glob(f"{name}-*/"))

    def only_run(self, name: str = "tiny") -> Path:
        (run_dir,) = self.runs(name)
        return run_dir

    def result(self, name: str = "tiny") -> dict:
        return json.loads((self.only_run(name) / "result.json").read_text())


@pytest.fixture(scope="session")
def ends_in() -> Callable[[Report | dict, str], None]:
    """`ends_in(report, "PASS")`: that is the verdict, or only a disturbed machine made it INVALID."""

    def check(report: Report | dict, status: str) -> None:
        verdict = (report.model_dump() if isinstance(report, Report) else report)["verdict"]
        invalid = verdict["status"] == "INVALID" and only_disturbed(verdict)
        assert verdict["status"] == status or invalid, verdict["findings"]

    return check


SERVERS = Path(__file__).parent / "servers"


@dataclass
class ServerProcess:
    """A server of `tests/e2e/servers` and the URL that takes requests."""

    process: subprocess.Popen
    url: str

    def stop(self, timeout_s: float = 20) -> None:
        """SIGTERM, on which a server that keeps a log writes it."""
        self.process.terminate()
        self.process.wait(timeout_s)


@pytest.fixture
def start_server() -> Iterator[Callable[..., ServerProcess]]:
    """`start_server("frozen.py", "--log", path)`: up when it returns, on the last core, gone after the test."""
    started: list[subprocess.Popen] = []

    def start(script: str, *arguments: object) -> ServerProcess:
        command = [sys.executable, str(SERVERS / script), *map(str, arguments)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        started.append(process)
        os.sched_setaffinity(process.pid, {max(os.sched_getaffinity(0))})
        return ServerProcess(process, process.stdout.readline().strip())

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture(scope="session")
def shared_cache(engine_cache) -> Path:
    return engine_cache


@pytest.fixture(scope="session")
def make_cli() -> type[Cli]:
    return Cli


@pytest.fixture
def cli(tmp_path, shared_cache) -> Cli:
    return Cli(tmp_path, shared_cache)


@pytest.fixture(scope="session")
def finished(tmp_path_factory, shared_cache) -> Cli:
    """The command line after one run of a recipe beside its teacher, two rounds; for tests that only read it."""
    cli = Cli(tmp_path_factory.mktemp("finished"), shared_cache)
    recipe = [{"kind": "truncate", "keep_trees": 5}, {"kind": "quantise"}]
    scenario = cli.scenario(compress=recipe, engine="tl2cgen", traffic={"teacher": True, "rounds": 2})
    done = cli.apart("run", scenario)
    assert cli.ended(done, 0), done.stderr
    assert "PASS" in done.stdout
    return cli


@pytest.fixture
def no_orphans(tmp_path):
    """After the test, every process that its command lines started is gone (asked for some seconds, then it fails)."""
    yield
    ours = [process for process in psutil.process_iter() if _environment(process).get(TEST_FOLDER) == str(tmp_path)]
    _, alive = psutil.wait_procs(ours, timeout=30)
    assert not alive, f"left behind: {[(p.pid, p.cmdline()[:6]) for p in alive]}"


def _environment(process: psutil.Process) -> dict[str, str]:
    try:
        return process.environ()
    except psutil.Error:
        return {}
