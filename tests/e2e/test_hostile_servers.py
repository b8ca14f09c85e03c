"""Servers that misbehave: each ends in the right verdict and says why; no hang, nothing lost, nothing left running."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ruamel.yaml import YAML

from harness.samples import TRANSPORT_ERROR, Samples

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_orphans")]

TRAFFIC = {
    "offered_qps": 100, "n_candidates": 10, "n_features": 12, "warm_up_s": 0.3, "window_s": 3, "rounds": 1,
    "timeout_s": 3,
}  # fmt: skip
LENIENT = {"p50_ms": 500}


def run(cli, url: str, *, sla: dict[str, float] = LENIENT, traffic: dict[str, Any] | None = None, **target: Any):
    """`harness run` against a target; what it ended with, and what it left."""
    content = {
        "name": "hostile",
        "target": {"url": url, **target},
        "traffic": TRAFFIC | (traffic or {}),
        "sla": sla,
    }
    YAML().dump(content, cli.root / "hostile.yaml")
    return cli("run", cli.root / "hostile.yaml")


def verdict_of(cli, done: subprocess.CompletedProcess) -> tuple[dict, Samples]:
    """The result, once it is clear that every request of the plan is in the samples."""
    assert "Traceback" not in done.stderr, done.stderr
    result = cli.result("hostile")
    samples = Samples.load(cli.only_run("hostile") / "samples.npz")
    assert result["measurements"]["complete"] is True
    assert len(samples) == result["measurements"]["load"]["n_planned"]
    return result, samples


def statuses(result: dict) -> dict[str, str]:
    """Objective -> its own status."""
    return {objective["name"]: objective["status"] for objective in result["verdict"]["objectives"]}


def said(result: dict) -> str:
    """All that the run tells its reader beside figures."""
    findings = result["verdict"]["findings"]
    return "\n".join(f"{finding['name']}: {finding['message']}" for finding in findings)


@pytest.mark.parametrize(
    ("fault", "status", "reason"),
    [
        ("error_500", 500, "HTTP 500: out of luck"),
        ("reset", TRANSPORT_ERROR, "ConnectionResetError"),
        ("slow_loris", TRANSPORT_ERROR, "no answer within 3 s"),
        ("huge", TRANSPORT_ERROR, "an answer over 4000000 bytes"),
    ],
)
def test_one_request_in_fifty_goes_wrong(cli, start_server, ends_in, fault: str, status: int, reason: str) -> None:
    """At most one in a thousand may: a FAIL that names the fault, while all others were answered."""
    server = start_server("hostile.py", "--fault", fault, "--every", 50)
    done = run(cli, server.url, sla={"p50_ms": 500, "error_rate": 0.001}, traffic={"window_s": 5})
    result, samples = verdict_of(cli, done)
    ends_in(result, "FAIL")
    assert statuses(result) == {"p50_ms": "PASS", "error_rate": "FAIL"}
    failed = samples.status == status
    assert 6 <= failed.sum() <= 13
    assert samples.ok[~failed].all()
    assert np.isinf(samples.latency_ms[failed]).all()
    assert reason in said(result)


def test_killed_in_the_middle_of_the_window(cli, start_server, ends_in) -> None:
    server = start_server("hostile.py", "--fault", "die", "--every", 150)
    result, samples = verdict_of(cli, run(cli, server.url, sla={"p99_ms": 500}))
    ends_in(result, "FAIL")
    assert statuses(result) == {"p99_ms": "FAIL"}
    assert samples.ok[:100].all()
    assert (samples.status[-100:] == TRANSPORT_ERROR).all()
    assert "Error" in said(result)


def test_fast_wrong_answers_fail_and_the_bundle_is_never_written(cli, start_server, teacher) -> None:
    """A target's bundle is the user's own: it is read, compared with, and left as it was."""
    bundle: Path = teacher("lightgbm").path
    before = {path: path.read_bytes() for path in bundle.iterdir()}
    server = start_server("hostile.py", "--fault", "wrong_scores", "--every", 20, "--model", bundle / "model.txt")
    done = run(cli, server.url, bundle=str(bundle))
    result, samples = verdict_of(cli, done)
    assert samples.ok.all()
    assert (done.returncode, result["verdict"]["status"]) == (1, "FAIL"), done.stdout
    assert statuses(result) == {"p50_ms": "PASS"}
    (audit,) = result["measurements"]["audits"]
    assert audit["n_checked"] == audit["n_answers"] == len(samples)
    assert 0 < audit["n_different"] <= len(samples) / 20 + 1
    assert any(finding["fails"] for finding in result["verdict"]["findings"])
    assert {path: path.read_bytes() for path in bundle.iterdir()} == before


@pytest.mark.parametrize(("fault", "status"), [("permuted", "FAIL"), ("well", "PASS")])
def test_ids_come_back_in_the_order_of_the_bundle(cli, start_server, teacher, ends_in, fault: str, status: str) -> None:
    bundle: Path = teacher("lightgbm").path
    server = start_server("hostile.py", "--fault", fault, "--every", 20, "--model", bundle / "model.txt")
    url = server.url.rpartition("/v2/")[0] + "/rank"
    done = run(cli, url, adapter={"kind": "rank"}, bundle=str(bundle))
    result, samples = verdict_of(cli, done)
    assert samples.ok.all()
    ends_in(result, status)
    assert statuses(result) == {"p50_ms": "PASS"}
    (audit,) = result["measurements"]["audits"]
    assert bool(audit["n_different"]) == (status == "FAIL")


def test_an_answer_that_came_twice_makes_the_run_invalid_and_is_taken_for_no_other(cli, start_server, teacher) -> None:
    bundle: Path = teacher("lightgbm").path
    server = start_server("hostile.py", "--fault", "twice", "--every", 200, "--model", bundle / "model.txt")
    result, samples = verdict_of(cli, run(cli, server.url, bundle=str(bundle)))
    assert samples.ok.all()
    assert result["verdict"]["status"] == "INVALID"
    (finding,) = (f for f in result["verdict"]["findings"] if f["name"] == "answers-out-of-step")
    assert (finding["hard"], finding["figure"]) == (True, result["measurements"]["load"]["n_out_of_step"]["target"])
    assert 1 <= finding["figure"] <= 2
    (audit,) = result["measurements"]["audits"]
    assert (audit["n_checked"], audit["n_different"]) == (len(samples), 0)
