"""The load test end to end: real Locust, in its own process, against a real server of known behaviour."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import psutil
import pytest
from hdrh.histogram import HdrHistogram

from harness.answers import Answers
from harness.errors import LoadError, ServeError
from harness.load.load_plan import LoadPlan
from harness.load.process import LocustProcess
from harness.load.runner import Target, run_load, write_plan
from harness.ranking_data import RankingData, Splits
from harness.samples import NO_ANSWER, TRANSPORT_ERROR, UNSENT, Samples
from harness.scenario.target import Access
from harness.scenario.traffic import Load, Traffic

# answers `fine`; argv: stall the whole process for 0.3 s at the n-th request, fail every n-th request (0: never)
SERVER = """
import asyncio, sys, time

stall_at, fail_every = int(sys.argv[1]), int(sys.argv[2])
count = 0

async def serve(reader, writer):
    global count
    try:
        while True:
            head = await reader.readuntil(b"\\r\\n\\r\\n")
            length = int(head.lower().split(b"content-length: ")[1].split(b"\\r\\n")[0])
            await reader.readexactly(length)
            count += 1
            if count == stall_at:
                time.sleep(0.3)
            status = b"500 Oops" if fail_every and count % fail_every == 0 else b"200 OK"
            writer.write(b"HTTP/1.1 " + status + b"\\r\\nContent-Length: 4\\r\\n\\r\\nfine")
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()

async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main())
"""

SHORT = Traffic(offered_qps=100, warm_up_s=0.3, window_s=1.2, rounds=1, n_candidates=20, n_bodies=8, max_in_flight=64)
LONG = SHORT.model_copy(update={"window_s": 60.0})
Serve = Callable[..., "Served"]


class HeaderServer:
    """Answers everything, and remembers the X-Tenant header of each request."""

    def __enter__(self) -> HeaderServer:
        tenants: list[str | None] = []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                tenants.append(self.headers["X-Tenant"])
                self.send_response(200)
                self.send_header("Content-Length", "4")
                self.end_headers()
                self.wfile.write(b"fine")

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.tenants, self.port = tenants, self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Served:
    """A server process and the target that it is."""

    def __init__(self, stall_at: int, fail_every: int) -> None:
        command = [sys.executable, "-c", SERVER, str(stall_at), str(fail_every)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    def target(self, name: str = "compressed") -> Target:
        return Target(name, f"http://127.0.0.1:{self.port}/v2/models/m/infer")

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def serve() -> Iterator[Serve]:
    started: list[Served] = []

    def start(*, stall_at: int = 0, fail_every: int = 0) -> Served:
        started.append(Served(stall_at, fail_every))
        return started[-1]

    yield start
    for served in started:
        served.close()


@pytest.fixture
def data(splits: Splits) -> RankingData:
    return splits.test


def locust_of(parent: psutil.Process | None = None) -> psutil.Process:
    """The load process that a process has started."""
    children = (parent or psutil.Process()).children()
    return next(child for child in children if "locust" in child.cmdline())


def ignore(_: str) -> None:
    pass


def test_every_planned_request_appears_once_with_honest_times(serve: Serve, data: RankingData, tmp_path: Path) -> None:
    server, lines = serve(), []
    traffic = SHORT.model_copy(update={"rounds": 2, "window_s": 2.0})
    targets = [server.target("teacher"), server.target("compressed")]
    samples, info = run_load(targets, data, traffic, tmp_path, [min(os.sched_getaffinity(0))], lines.append)
    assert info.complete
    assert info.n_planned == len(samples)
    assert info.arrival == "poisson"
    assert info.notes == ()
    assert info.timer
    assert 0 < info.generator_cpu_share <= info.generator_cpu_share_max < 1.5
    assert samples.ok.all()
    assert samples.targets == ("teacher", "compressed")
    assert (np.diff(samples.segment) >= 0).all()
    blocks = [samples.where(samples.segment == number) for number in range(4)]
    assert [block.target[0] for block in blocks] == [0, 1, 1, 0]
    for block in blocks:
        assert (np.diff(block.due_s) >= 0).all()
        np.testing.assert_array_equal(block.in_window, block.due_s >= 0.3)
    for first, second in ((blocks[0], blocks[1]), (blocks[2], blocks[3])):
        np.testing.assert_array_equal(first.due_s, second.due_s)
        np.testing.assert_array_equal(first.body, second.body)
    assert (samples.send_lag_ms >= 0).all()
    assert (samples.latency_ms >= samples.round_trip_ms).all()
    assert (samples.round_trip_ms > 0).all()
    assert (samples.n_candidates == 20).all()
    assert len(Samples.load(tmp_path / "samples.npz")) == len(samples)
    histograms = json.loads((tmp_path / "histograms.json").read_text())
    for name in samples.targets:
        assert HdrHistogram.decode(histograms[name]).get_total_count() == len(samples.judged(name))
    assert lines[-1].startswith("teacher, round 2/2: done")
    assert not (tmp_path / "plan").exists()


def test_a_frozen_server_shows_from_the_due_time(serve: Serve, data: RankingData, tmp_path: Path) -> None:
    server = serve(stall_at=60)
    traffic = SHORT.model_copy(update={"arrival": "constant"})
    samples, info = run_load([server.target()], data, traffic, tmp_path, (), ignore)
    assert info.complete
    latency_ms = samples.judged("compressed").latency_ms
    assert latency_ms.max() >= 299
    assert (latency_ms > 100).sum() >= 15  # 0.2 s of arrivals at 100/s came due while it was frozen


def test_closed_arrival_hides_the_same_freeze(serve: Serve, data: RankingData, tmp_path: Path) -> None:
    server = serve(stall_at=60)
    traffic = SHORT.model_copy(update={"arrival": "closed"})
    samples, info = run_load([server.target()], data, traffic, tmp_path, (), ignore)
    assert info.n_planned == len(samples) > 100
    np.testing.assert_array_equal(samples.due_s, samples.sent_s)
    assert (np.diff(samples.due_s) > 0).all()
    assert (samples.latency_ms >= 299).sum() == 1


def test_over_the_cap_requests_stay_unsent(serve: Serve, data: RankingData, tmp_path: Path) -> None:
    server = serve(stall_at=60)
    traffic = SHORT.model_copy(update={"arrival": "constant", "max_in_flight": 2})
    samples, info = run_load([server.target()], data, traffic, tmp_path, (), ignore)
    unsent = samples.status == UNSENT
    assert len(samples) == info.n_planned
    assert unsent.sum() >= 20
    assert np.isnan(samples.sent_s[unsent]).all()
    assert np.isinf(samples.latency_ms[unsent]).all()
    assert samples.ok[~unsent].all()


def test_server_errors_are_failures_and_named(serve: Serve, data: RankingData, tmp_path: Path) -> None:
    server = serve(fail_every=10)
    samples, info = run_load([server.target()], data, SHORT, tmp_path, (), ignore)
    failed = samples.status == 500
    assert abs(failed.sum() - len(samples) / 10) <= 1
    assert samples.ok[~failed].all()
    assert np.isfinite(samples.done_s).all()
    assert np.isinf(samples.latency_ms[failed]).all()
    assert any("HTTP 500: fine" in note for note in info.notes)


def test_a_server_killed_midway_ends_in_errors_not_in_a_hang(serve: Serve, data: RankingData, tmp_path: Path) -> None:
    server = serve()

    def kill_once(_: str) -> None:
        server.process.kill()

    samples, info = run_load(
        [server.target()], data, SHORT.model_copy(update={"window_s": 2.5}), tmp_path, (), kill_once
    )
    assert info.complete
    assert len(samples) == info.n_planned
    assert samples.ok[:50].all()
    assert (samples.status[-50:] == TRANSPORT_ERROR).all()
    assert any("compressed: last failure" in note for note in info.notes)


def test_what_the_watch_raises_ends_the_run_and_keeps_the_samples(
    serve: Serve, data: RankingData, tmp_path: Path
) -> None:
    server, lines = serve(), []

    def watch() -> None:
        if lines:
            raise ServeError("the server died")

    with pytest.raises(ServeError, match="the server died"):
        run_load([server.target()], data, LONG, tmp_path, (), lines.append, watch=watch)
    assert Samples.load(tmp_path / "samples.npz").ok.sum() > 50
    assert json.loads((tmp_path / "load.json").read_text())["complete"] is False
    assert not psutil.Process().children(recursive=True)[1:]  # the null server alone


def check_answers(samples: Samples, out: Path) -> None:
    """Every answered request points to the one answer to its body at its target, whichever process kept it."""
    answers = Answers.load(out / "answers.npz")
    assert set(answers.blobs) == {b"fine"}
    assert ((samples.answer != NO_ANSWER) == samples.ok).all()
    kept = samples.where(samples.ok)
    np.testing.assert_array_equal(answers.body[kept.answer], kept.body)
    np.testing.assert_array_equal(answers.target[kept.answer], kept.target)
    pairs = list(zip(answers.target.tolist(), answers.body.tolist(), strict=True))
    assert len(pairs) == len(set(pairs))


def test_a_killed_load_process_is_an_error(serve: Serve, data: RankingData, tmp_path: Path) -> None:
    server = serve()
    with pytest.raises(LoadError, match=r"killed by signal 9; what it had measured until then is in samples\.npz"):
        run_load([server.target()], data, LONG, tmp_path, (), lambda _: locust_of().kill())
    samples = Samples.load(tmp_path / "samples.npz")
    assert samples.ok.all()
    assert samples.due_s.max() > 0.5
    assert (samples.n_candidates == 20).all()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["answers.npz", "locust.log", "samples.npz"]
    check_answers(samples, tmp_path)


def test_a_terminated_load_process_keeps_its_samples(serve: Serve, data: RankingData, tmp_path: Path) -> None:
    server = serve()
    samples, info = run_load([server.target()], data, LONG, tmp_path, (), lambda _: locust_of().terminate())
    assert not info.complete
    assert 50 < len(samples) < info.n_planned
    assert samples.ok.all()


def test_a_failure_inside_the_load_process_is_an_error_with_its_log(
    serve: Serve, data: RankingData, tmp_path: Path
) -> None:
    server = serve()

    def get_in_the_way(_: str) -> None:
        (tmp_path / "samples.npz").mkdir(exist_ok=True)

    with pytest.raises(LoadError, match=r"left no samples[^$]*Is a directory"):
        run_load([server.target()], data, SHORT.model_copy(update={"window_s": 3.0}), tmp_path, (), get_in_the_way)


def test_a_fault_of_the_load_process_reaches_its_log_and_exit_code(data: RankingData, tmp_path: Path) -> None:
    broken = Target("compressed", "http://127.0.0.1:1/", access=Access(bearer_env="NO_SUCH_VARIABLE"))
    plan = LoadPlan(targets=(broken,), traffic=SHORT, n_bodies=SHORT.n_bodies, out=tmp_path)
    write_plan(plan, data, tmp_path)
    process = LocustProcess(tmp_path, tmp_path / "locust.log", ())
    try:
        assert process.wait(60) == 1
    finally:
        process.stop()
    assert "NO_SUCH_VARIABLE is not set" in process.last_words()
    assert not (tmp_path / "samples.npz").exists()


def test_no_orphan_when_the_harness_is_killed(serve: Serve, data: RankingData, tmp_path: Path) -> None:
    server = serve()
    np.savez(tmp_path / "data.npz", features=data.features, sizes=data.group_sizes)
    script = f"""
import numpy as np
from pathlib import Path
from harness.load.runner import Target, run_load
from harness.ranking_data import RankingData
from harness.scenario.traffic import Traffic
saved = np.load("data.npz")
x, sizes = saved["features"], saved["sizes"]
data = RankingData("test", x, np.ones(len(x), np.int32), sizes, tuple(map(str, range(x.shape[1]))))
traffic = Traffic.model_validate_json({LONG.model_dump_json()!r})
say = lambda line: print(line, flush=True)
run_load([Target("compressed", {server.target().url!r})], data, traffic, Path("out"), (), say)
"""
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", script]
    parent = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    assert "compressed" in parent.stdout.readline()
    load = locust_of(psutil.Process(parent.pid))
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 20
    while load.is_running() and load.status() != psutil.STATUS_ZOMBIE and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not load.is_running() or load.status() == psutil.STATUS_ZOMBIE
    assert len(Samples.load(tmp_path / "out" / "samples.npz")) > 0


def workers_of(master: psutil.Process) -> list[psutil.Process]:
    """The load processes that Locust's master has forked."""
    return [child for child in master.children() if "locust" in child.cmdline()]


def test_three_processes_measure_what_one_plan_says(serve: Serve, data: RankingData, tmp_path: Path) -> None:
    server, lines = serve(), []
    traffic = SHORT.model_copy(update={"offered_qps": 150, "rounds": 2, "window_s": 2.0, "arrival": "constant"})
    targets = [server.target("teacher"), server.target("compressed")]
    cpus = sorted(os.sched_getaffinity(0))
    samples, info = run_load(targets, data, traffic, tmp_path, cpus, lines.append, load=Load(processes=3))
    assert info.complete
    assert (info.n_workers, info.n_workers_lost) == (3, 0)
    assert info.n_planned == len(samples) == 4 * 195
    assert samples.ok.all()
    assert np.unique(samples.worker).tolist() == [0, 1, 2]
    check_answers(samples, tmp_path)
    for number in range(4):
        block = samples.where(samples.segment == number)
        np.testing.assert_allclose(block.due_s, np.arange(195) / 150)
        assert block.worker.tolist() == [0, 1, 2] * 65
    assert info.loop_lag_ms_max > 0
    assert 0 < info.generator_cpu_share <= info.generator_cpu_share_max < 1.5
    histograms = json.loads((tmp_path / "histograms.json").read_text())
    for name in samples.targets:
        assert HdrHistogram.decode(histograms[name]).get_total_count() == len(samples.judged(name))
    seconds = json.loads((tmp_path / "seconds.json").read_text())
    assert seconds["segment"] == [0, 0, 1, 1, 2, 2, 3, 3]
    assert seconds["due"] == [150, 45] * 4
    assert sum(seconds["done"]) == len(samples)
    assert lines[-1].startswith("teacher, round 2/2: done, 195 of 195")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_lost_worker_neither_hangs_the_run_nor_takes_the_others_with_it(
    serve: Serve, data: RankingData, tmp_path: Path, number: signal.Signals
) -> None:
    server, hit = serve(), []
    traffic = SHORT.model_copy(update={"offered_qps": 60, "window_s": 8.0, "arrival": "constant", "rounds": 2})

    def hit_one(line: str) -> None:
        if not hit:
            hit.extend(workers_of(locust_of()))
            hit[-1].send_signal(number)

    samples, info = run_load([server.target()], data, traffic, tmp_path, (), hit_one, load=Load(processes=2))
    assert (info.n_workers, info.n_workers_lost, info.complete) == (2, 1, True)
    assert any("lost in segment 1" in note for note in info.notes)
    counts = [int((samples.worker == k).sum()) for k in (0, 1)]
    assert max(counts) == info.n_planned / 2
    assert min(counts) < info.n_planned / 4  # none, where it had not reported yet
    assert samples.ok.all()
    _, alive = psutil.wait_procs(hit, timeout=10)
    assert not alive


def test_a_killed_master_leaves_no_worker_and_most_of_the_samples(
    serve: Serve, data: RankingData, tmp_path: Path
) -> None:
    server, workers, lines = serve(), [], []

    def kill(line: str) -> None:
        lines.append(line)
        if len(lines) < 4:  # both have reported
            return
        master = locust_of()
        workers.extend(workers_of(master))
        master.kill()

    with pytest.raises(LoadError, match="what it had measured until then"):
        run_load([server.target()], data, LONG, tmp_path, (), kill, load=Load(processes=2))
    samples = Samples.load(tmp_path / "samples.npz")
    assert np.unique(samples.worker).tolist() == [0, 1]
    check_answers(samples, tmp_path)
    assert len(workers) == 2
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert not alive


def test_stopped_in_the_middle_all_workers_keep_what_they_have(serve: Serve, data: RankingData, tmp_path: Path) -> None:
    server = serve()
    traffic = LONG.model_copy(update={"arrival": "constant"})
    samples, info = run_load(
        [server.target()], data, traffic, tmp_path, (), lambda _: locust_of().terminate(), load=Load(processes=2)
    )
    assert not info.complete
    assert info.n_workers_lost == 0
    last_s = [samples.due_s[samples.worker == k].max() for k in (0, 1)]
    assert abs(last_s[0] - last_s[1]) < 1  # both reported when they were told to quit, not three seconds before
    assert samples.ok.all()


def test_a_locustfile_of_ones_own_adds_headers_and_sees_segments(data: RankingData, tmp_path: Path) -> None:
    (tmp_path / "ours.py").write_text(
        """
from pathlib import Path
from harness.load.user import RankingUser

class Ours(RankingUser):
    def headers(self, target):
        return {"X-Tenant": f"load-{target.name}"}

    def on_segment_start(self, segment):
        self.log(f"start {segment.round}")

    def on_segment_end(self, segment):
        self.log(f"end {segment.round}")

    def log(self, line):
        with (Path(__file__).parent / "seen.txt").open("a") as file:
            print(line, file=file)
"""
    )
    with HeaderServer() as server:
        target = Target("compressed", f"http://127.0.0.1:{server.port}/infer")
        samples, info = run_load(
            [target],
            data,
            SHORT.model_copy(update={"rounds": 2}),
            tmp_path / "out",
            (),
            ignore,
            load=Load(locustfile=tmp_path / "ours.py"),
            first_round=4,
        )
    assert samples.ok.all()
    assert info.complete
    assert len(server.tenants) >= len(samples)
    assert set(server.tenants) == {"load-compressed"}
    assert (tmp_path / "seen.txt").read_text().split("\n") == ["start 4", "end 4", "start 5", "end 5", ""]


def test_what_a_locustfile_raises_ends_the_run_with_its_traceback(
    serve: Serve, data: RankingData, tmp_path: Path
) -> None:
    server = serve()
    (tmp_path / "ours.py").write_text(
        "from harness.load.user import RankingUser\n\n"
        "class Ours(RankingUser):\n"
        "    def on_segment_end(self, segment):\n"
        "        raise ZeroDivisionError('ours')\n"
    )
    load = Load(locustfile=tmp_path / "ours.py", processes=2)
    with pytest.raises(LoadError, match=r"ended with exit code 1; what it had measured is in[^$]*ZeroDivisionError"):
        run_load([server.target()], data, SHORT, tmp_path / "out", (), ignore, load=load)
    assert len(Samples.load(tmp_path / "out" / "samples.npz")) > 0
    info = json.loads((tmp_path / "out" / "load.json").read_text())
    assert any("ZeroDivisionError: ours" in note for note in info["notes"])


def test_a_locustfile_that_is_not_there_is_named(data: RankingData, tmp_path: Path) -> None:
    with pytest.raises(LoadError, match=r"ours\.py: no such file"):
        run_load(
            [Target("a", "http://127.0.0.1:1/")], data, SHORT, tmp_path, (), ignore,
            load=Load(locustfile=tmp_path / "ours.py"),
        )  # fmt: skip


def test_a_recording_is_replayed(serve: Serve, data: RankingData, tmp_path: Path) -> None:
    server = serve()
    (tmp_path / "arrivals.csv").write_text("\n".join(f"{100 + i / 40}" for i in range(40)))
    traffic = SHORT.model_copy(update={"arrival": "replay", "arrivals": tmp_path / "arrivals.csv", "window_s": 1.19})
    samples, info = run_load([server.target()], data, traffic, tmp_path / "out", (), ignore)
    np.testing.assert_allclose(samples.due_s, np.arange(60) / 40, atol=1e-9)
    assert info.offered_qps == pytest.approx(40, rel=0.01)
    assert samples.ok.all()
