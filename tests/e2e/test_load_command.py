"""`harness load`: an exported plan runs on several machines (here: processes), and under Locust alone."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import psutil
import pytest
from ruamel.yaml import YAML

from harness.answers import Answers
from harness.load.export import REQUIREMENTS
from harness.samples import Samples

pytestmark = pytest.mark.usefixtures("no_orphans")
TRAFFIC = {"arrival": "constant", "offered_qps": 60, "window_s": 2, "warm_up_s": 0.3, "rounds": 2, "n_candidates": 5}
N_PLANNED = 2 * 78


@pytest.fixture
def url():
    """A server on loopback that answers every POST."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", "4")
            self.end_headers()
            self.wfile.write(b"fine")

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v2/models/m/infer"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def plan_dir(cli, url):
    return exported(cli, url)


def exported(cli, url, **traffic):
    done = cli("load", "export", cli.scenario(traffic=TRAFFIC | traffic), "exported", "--target-url", url)
    assert done.returncode == 0, done.stderr
    return cli.root / "exported"


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def check_measured(folder: Path, n_workers: int):
    samples, info = Samples.load(folder / "samples.npz"), json.loads((folder / "load.json").read_text())
    assert (info["complete"], info["n_workers"], info["n_workers_lost"]) == (True, n_workers, 0)
    assert len(samples) == info["n_planned"] == N_PLANNED
    assert samples.ok.all()
    assert np.unique(samples.worker).tolist() == list(range(n_workers))
    assert set(json.loads((folder / "histograms.json").read_text())) == {"compressed"}


def test_a_master_and_two_workers(cli, plan_dir):
    port = str(free_port())
    master = cli.start("load", plan_dir, "--master", "--expect-workers", "2", "--bind-port", port)
    workers = [cli.start("load", plan_dir, "--worker", "--master-port", port) for _ in range(2)]
    stdout, stderr = master.communicate(timeout=240)
    assert master.returncode == 0, stderr
    assert f"compressed: {2 * 60} of {2 * 60} requests answered" in stdout
    assert "compressed, round 1/2" in stderr
    for worker in workers:
        _, stderr = worker.communicate(timeout=120)
        assert worker.returncode == 0, stderr
    check_measured(plan_dir / "measured", 2)


def test_a_machine_that_goes_down_is_a_lost_worker(cli, url):
    plan_dir = exported(cli, url, window_s=4, rounds=1)
    port = str(free_port())
    master = cli.start("load", plan_dir, "--master", "--expect-workers", "2", "--bind-port", port)
    workers = [cli.start("load", plan_dir, "--worker", "--master-port", port) for _ in range(2)]
    next(line for line in master.stderr if "due" in line)
    (locust,) = psutil.Process(workers[0].pid).children()
    workers[0].send_signal(signal.SIGKILL)
    workers[0].communicate(timeout=120)
    _, stderr = master.communicate(timeout=240)
    assert master.returncode == 4, stderr
    assert "lost" in stderr
    workers[1].communicate(timeout=120)
    psutil.wait_procs([locust], timeout=30)
    assert not locust.is_running()
    assert json.loads((plan_dir / "measured" / "load.json").read_text())["n_workers_lost"] == 1


def test_locust_alone_runs_it(plan_dir):
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONWARNINGS": "default"}
    command = [sys.executable, "-P", "-m", "locust", "-f", str(plan_dir / "locustfile.py"), "--headless"]
    command += ["--only-summary", "--processes", "2", "--master-bind-host", "127.0.0.1"]
    port = str(free_port())
    command += ["--master-bind-port", port, "--master-port", port]
    done = subprocess.run(command, cwd=plan_dir, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    check_measured(plan_dir / "measured", 2)


def test_what_is_written_is_whole_and_holds_no_place_of_this_machine(cli, url):
    (cli.root / "arrivals.csv").write_text("".join(f"{i / 60}\n" for i in range(600)))
    traffic = TRAFFIC | {"arrival": "replay", "arrivals": str(cli.root / "arrivals.csv")}
    done = cli("load", "export", cli.scenario("my.Feed_1", traffic=traffic), "exported", "--target-url", url)
    assert done.returncode == 0, done.stderr
    folder = cli.root / "exported"
    assert sorted(path.name for path in folder.iterdir()) == [
        "Dockerfile", "README.md", "arrivals.npy", "bodies-0", "locustfile.py", "locusttest.yaml", "plan.json",
    ]  # fmt: skip
    for name in ("plan.json", "README.md", "Dockerfile", "locusttest.yaml", "locustfile.py"):
        assert str(cli.root) not in (folder / name).read_text()
    claim, test = YAML(typ="safe").load_all(folder / "locusttest.yaml")
    assert (test["apiVersion"], test["kind"], test["metadata"]["name"]) == ("locust.io/v2", "LocustTest", "my-feed-1")
    assert set(test["spec"]) == {"image", "master", "worker", "volumes", "volumeMounts"}
    assert test["spec"]["worker"]["replicas"] == 2
    assert test["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    assert cli("load", folder, "--quiet").returncode == 0
    assert len(Samples.load(folder / "measured" / "samples.npz")) == 2 * 78


KEY = "key-77aa01"


@pytest.fixture
def guarded(cli, serve_http, certificate, monkeypatch):
    """The scenario of an https endpoint that ranks as it was asked, if it was asked with its key."""

    def answer(method, path, headers, body):
        if headers.get("x-api-key") != KEY:
            return 401, {}, b"who are you?"
        ids = [item["id"] for item in json.loads(body)["items"]]
        return 200, {}, json.dumps({"items": [{"item": place} for place in ids], "asked_with": KEY}).encode()

    monkeypatch.setenv("OUR_KEY", KEY)
    authority = cli.root / "authority.pem"
    authority.write_bytes(certificate.ca.read_bytes() + certificate.key.read_bytes())
    target = {
        "url": f"{serve_http(answer, certificate)}/rank/m",
        "adapter": {"kind": "rank"}, "headers_env": {"X-Api-Key": "OUR_KEY"}, "tls_ca": str(authority),
    }  # fmt: skip
    path = cli.root / "guarded.yaml"
    whole = {"name": "guarded", "target": target, "traffic": TRAFFIC | {"n_features": 4}, "sla": {"p50_ms": 500}}
    YAML().dump(whole, path)
    return path


def test_a_target_is_exported_with_its_adapter_and_access_and_no_credential(cli, guarded, monkeypatch):
    done = cli("load", "export", guarded, "exported")
    assert done.returncode == 0, done.stderr
    folder = cli.root / "exported"
    _, test = YAML(typ="safe").load_all(folder / "locusttest.yaml")
    (variable,) = test["spec"]["env"]["variables"]
    secret = {"name": "guarded-credentials", "key": "OUR_KEY"}
    assert variable == {"name": "OUR_KEY", "valueFrom": {"secretKeyRef": secret}}
    assert (
        'create secret generic guarded-credentials --from-literal=OUR_KEY="$OUR_KEY"'
        in (folder / "README.md").read_text()
    )
    port = str(free_port())
    worker = ("load", folder, "--worker", "--master-port", port)
    monkeypatch.delenv("OUR_KEY")
    done = cli(*worker)
    assert (done.returncode, "OUR_KEY is not set" in done.stderr) == (3, True)
    master = cli.start("load", folder, "--master", "--expect-workers", "2", "--bind-port", port)  # it asks for nothing
    monkeypatch.setenv("OUR_KEY", KEY)
    workers = [cli.start(*worker) for _ in range(2)]
    _, stderr = master.communicate(timeout=240)
    assert master.returncode == 0, stderr
    for process in workers:
        process.communicate(timeout=120)
    samples, answers = (kind.load(folder / "measured" / f"{kind.__name__.lower()}.npz") for kind in (Samples, Answers))
    assert (len(samples), samples.targets, set(samples.worker.tolist())) == (N_PLANNED, ("target",), {0, 1})
    assert samples.ok.all()
    np.testing.assert_array_equal(answers.body[samples.answer], samples.body)
    assert all(b'"asked_with": "***"' in blob for blob in answers.blobs)
    for file in folder.rglob("*"):
        content = file.read_bytes() if file.is_file() else b""
        assert KEY.encode() not in content, file
        assert b"PRIVATE KEY" not in content, file


def test_load_processes_need_no_more_than_the_dockerfile_installs():
    code = (
        "import sys, locust; before = set(sys.modules); import harness.load.locustfile;"
        "from harness import registry; [registry.adapter(name) for name in registry.names('adapters')];"
        "print('\\n'.join({m.partition('.')[0] for m in set(sys.modules) - before}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    new = set(done.stdout.split()) - set(sys.stdlib_module_names)
    known = {"hdrhistogram": {"hdrh", "pyhdrh"}, "pydantic": {"pydantic_core", "annotated_types", "typing_inspection"}}
    allowed = {"harness"} | {name.partition(".")[0] for name in REQUIREMENTS} | set().union(*known.values())
    assert {name for name in new if not name.startswith("_")} <= allowed


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, "add --target-url"),
        (["--target-url", "http://user:secret@127.0.0.1/infer"], 3, "credentials in a URL"),
        (["--target-url", "file:///etc/passwd"], 3, "only http and https"),
        (["--target-url", "http://host/infer"], 3, "--remote"),
        (["--target-url", "http://host/infer", "--set", "traffic.rounds=0"], 2, "traffic.rounds"),
    ],
)
def test_an_export_that_can_not_be(cli, arguments, code, said):
    done = cli("load", "export", cli.scenario(), "exported", *arguments)
    assert done.returncode == code
    assert said in done.stderr
    assert "secret" not in done.stderr
    assert not (cli.root / "exported").exists()


def test_roles_exclude_one_another_and_a_plan_is_needed(cli):
    (cli.root / "empty").mkdir()
    done = cli("load", "empty", "--master", "--worker")
    assert (done.returncode, "exclude one another" in done.stderr) == (2, True)
    done = cli("load", "empty")
    assert (done.returncode, "harness load export" in done.stderr) == (2, True)
