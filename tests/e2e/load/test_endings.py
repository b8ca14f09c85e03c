"""A load test that is cut short by whomever: what was measured is kept, the reason is told, nothing stays running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from harness.errors import LoadError, ServeError
from harness.load.load_plan import LoadPlan
from harness.load.process import LocustProcess
from harness.load.runner import Target, write_plan
from harness.samples import Samples
from harness.scenario.target import Access

LONG_S = 60.0


def test_what_the_watch_raises_ends_the_run_and_keeps_the_samples(load, url) -> None:
    lines = []

    def watch() -> None:
        if lines:
            raise ServeError("the server died")

    before = len(psutil.Process().children(recursive=True))
    with pytest.raises(ServeError, match="the server died"):
        load(url, window_s=LONG_S, progress=lines.append, watch=watch)
    assert load.samples().ok.sum() > 50
    assert '"complete": false' in (load.out / "load.json").read_text()
    assert len(psutil.Process().children(recursive=True)) == before


def test_a_killed_load_process_is_an_error(load, url, locust_of, once_told) -> None:
    with pytest.raises(LoadError, match=r"killed by signal 9; what it had measured until then is in samples\.npz"):
        load(url, window_s=LONG_S, progress=once_told(lambda: locust_of().kill()))
    samples = load.samples()
    assert samples.ok.all()
    assert samples.due_s.max() > 0.5
    assert (samples.n_candidates == 20).all()
    assert sorted(path.name for path in load.out.iterdir()) == ["answers.npz", "locust.log", "samples.npz"]
    load.check_answers(samples)


def test_a_terminated_load_process_keeps_its_samples(load, url, locust_of, once_told) -> None:
    samples, info = load(url, window_s=LONG_S, progress=once_told(lambda: locust_of().terminate()))
    assert not info.complete
    assert 50 < len(samples) < info.n_planned
    assert samples.ok.all()


def test_a_failure_inside_the_load_process_is_an_error_with_its_log(load, url) -> None:
    def get_in_the_way(_: str) -> None:
        (load.out / "samples.npz").mkdir(exist_ok=True)

    with pytest.raises(LoadError, match=r"left no samples[^$]*Is a directory"):
        load(url, window_s=3.0, progress=get_in_the_way)


def test_a_fault_of_the_load_process_reaches_its_log_and_exit_code(load, tmp_path) -> None:
    broken = Target("compressed", "http://127.0.0.1:1/", access=Access(bearer_env="NO_SUCH_VARIABLE"))
    plan = LoadPlan(targets=(broken,), traffic=load.traffic(), n_bodies=8, out=tmp_path)
    write_plan(plan, load.data, tmp_path)
    process = LocustProcess(tmp_path, tmp_path / "locust.log", ())
    try:
        assert process.wait(60) == 1
    finally:
        process.stop()
    assert "NO_SUCH_VARIABLE is not set" in process.last_words()
    assert not (tmp_path / "samples.npz").exists()


def test_no_orphan_when_the_harness_is_killed(load, url, locust_of, tmp_path) -> None:
    np.savez(tmp_path / "data.npz", features=load.data.features, sizes=load.data.group_sizes)
    script = f"""
import numpy as np
from pathlib import Path
from harness.load.runner import Target, run_load
from harness.ranking_data import RankingData
from harness.scenario.traffic import Traffic
saved = np.load("data.npz")
x, sizes = saved["features"], saved["sizes"]
data = RankingData("test", x, np.ones(len(x), np.int32), sizes, tuple(map(str, range(x.shape[1]))))
traffic = Traffic.model_validate_json({load.traffic(window_s=LONG_S).model_dump_json()!r})
say = lambda line: print(line, flush=True)
run_load([Target("compressed", {url!r})], data, traffic, Path("out"), (), say)
"""
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    command = [sys.executable, "-c", script]
    parent = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    assert "compressed" in parent.stdout.readline()
    locust = locust_of(psutil.Process(parent.pid))
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 20
    while locust.is_running() and locust.status() != psutil.STATUS_ZOMBIE and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not locust.is_running() or locust.status() == psutil.STATUS_ZOMBIE
    assert len(Samples.load(tmp_path / "out" / "samples.npz")) > 0
