"""Endpoints of others, end to end: real HTTP servers, real Locust, the audit, and the verdict it leads to."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from harness.bundle import Bundle
from harness.cache import Cache
from harness.errors import TargetError
from harness.events import Event, LoadProgress
from harness.oip import decode_request, encode_response, header_length
from harness.pipeline import Settings, run
from harness.records import Report
from harness.scenario import Scenario
from harness.scoring import reference_scorer

pytestmark = pytest.mark.usefixtures("no_orphans")

Answer = tuple[int, dict[str, str], bytes]
Ask = Callable[..., Report]
TRAFFIC = {
    "offered_qps": 60, "n_candidates": 20, "n_features": 12, "warm_up_s": 0.2, "window_s": 1.5, "rounds": 1,
    "n_bodies": 32,
}  # fmt: skip
INFER = "/v2/models/m/infer"


@pytest.fixture
def bundle(teacher: Callable[[str], Bundle]) -> Bundle:
    return teacher("lightgbm")


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    """`ask(target, **blocks)`: the report of a run against a target, on random candidates unless told otherwise."""

    def report(target: dict[str, Any], **blocks: Any) -> Report:
        whole = {"name": "asked", "target": target, "traffic": TRAFFIC, "sla": {"p50_ms": 500}, **blocks}
        settings = Settings(out=tmp_path / "results", cache=Cache(tmp_path / "cache"))
        return run(Scenario.model_validate(whole), settings, lambda _: None)[1]

    return report


def scorer_of(bundle: Bundle, distort: Callable[[int, np.ndarray], Any] = lambda _, scores: scores) -> Any:
    """An Open Inference server of a bundle; `distort(number of the request, scores)` may spoil an answer, or be it."""
    scorer, numbers = reference_scorer(bundle), count()

    def answer(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        if method == "GET":
            return 404, {}, b"no metadata"
        x = decode_request(header_length(headers), body, 12, 1000).x
        made = distort(next(numbers), scorer.score(x))
        if isinstance(made, tuple):
            return made
        content, own = encode_response(
            np.asarray(made, np.float32), None, "m", None, header_length(headers) is not None
        )
        return 200, own, content

    return answer


def names(report: Report) -> set[str]:
    return {finding.name for finding in report.verdict.findings}


def test_right_answers_pass_and_are_compared_with_the_bundle(
    ask: Ask, serve_http: Any, bundle: Bundle, ends_in: Any
) -> None:
    url = serve_http(scorer_of(bundle)) + INFER
    report = ask({"url": url, "bundle": str(bundle.path)}, sla={"p50_ms": 500, "error_rate": 0.2, "size_mb": 5})
    ends_in(report, "PASS")
    (audit,) = report.measurements.audits
    assert audit.n_checked == audit.n_answers == report.measurements.load.n_planned
    assert (audit.n_wrong, audit.target, audit.compared_with) == (0, "target", bundle.manifest.digest)
    assert audit.n_distinct <= 32
    assert np.isnan(audit.ndcg_served)
    (info,) = report.measurements.targets
    assert info.engine_info["adapter"]["encoding"] == "binary"
    assert report.measurements.ledger == ()


def test_candidates_of_a_data_set_give_the_ndcg_that_was_served(
    ask: Ask, serve_http: Any, bundle: Bundle, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    for name in ("train", "test"):
        lines = [
            f"{rng.integers(3)} qid:{group} " + " ".join(f"{i + 1}:{value:.3f}" for i, value in enumerate(row))
            for group in range(8)
            for row in rng.normal(size=(12, 12))
        ]
        (tmp_path / f"{name}.txt").write_text("\n".join(lines) + "\n")
    data = {"kind": "letor", "train": str(tmp_path / "train.txt"), "test": str(tmp_path / "test.txt")}
    traffic = {**TRAFFIC, "n_candidates": None, "n_features": None}
    target = {"url": serve_http(scorer_of(bundle)) + INFER, "bundle": str(bundle.path)}
    (audit,) = ask(target, data=data, traffic=traffic).measurements.audits
    assert audit.n_wrong == 0
    assert 0 < audit.ndcg_served == pytest.approx(audit.ndcg_offline)


@pytest.mark.parametrize(
    ("distort", "fault"),
    [
        (lambda i, scores: scores + 0.1 * (i % 10 == 7), "n_different"),
        (lambda _, scores: scores[::-1], "n_different"),
        (lambda i, scores: scores[: scores.size - (i > 20)], "n_wrong_length"),
        (lambda i, scores: scores if i < 20 else scores * np.nan, "n_not_finite"),
        (lambda i, scores: scores if i < 20 else (200, {}, b"<html>welcome</html>"), "n_malformed"),
    ],
)
def test_fast_wrong_answers_fail(ask: Ask, serve_http: Any, bundle: Bundle, distort: Any, fault: str) -> None:
    report = ask({"url": serve_http(scorer_of(bundle, distort)) + INFER, "bundle": str(bundle.path)})
    assert report.verdict.status == "FAIL"
    assert [objective.status for objective in report.verdict.objectives] == ["PASS"]
    assert "wrong-answers" in names(report)
    (audit,) = report.measurements.audits
    assert getattr(audit, fault) == audit.n_wrong > 0


@pytest.mark.parametrize(
    ("order", "status", "fault"),
    [
        (lambda ids: ids[::-1], "PASS", None),
        (lambda ids: [ids[0], *ids[:-1]], "FAIL", "n_not_a_permutation"),
        (lambda ids: ids[1:], "FAIL", "n_wrong_length"),
    ],
)
def test_ids_in_ids_out(ask: Ask, serve_http: Any, ends_in: Any, order: Any, status: str, fault: str | None) -> None:
    def answer(_: str, __: str, ___: Mapping[str, str], body: bytes) -> Answer:
        ids = [item["id"] for item in json.loads(body)["items"]]
        return 200, {}, json.dumps({"items": [{"item": place, "score": 1} for place in order(ids)]}).encode()

    report = ask({"url": f"{serve_http(answer)}/rank/m", "adapter": {"kind": "rank"}})
    ends_in(report, status)
    (audit,) = report.measurements.audits
    assert audit.n_wrong == (0 if fault is None else getattr(audit, fault)) == (audit.n_answers if fault else 0)


def documented(product: str) -> dict[str, Any]:
    """The example of a product in the docstring of the template adapter."""
    from ruamel.yaml import YAML

    import harness.adapters.template as module

    text = module.__doc__.partition(product)[2].partition("adapter:")[2]
    block = re.match(r"(\n( {6}.*|))+", text)[0]
    return YAML(typ="safe", pure=True).load(block)


def elasticsearch(_: str, path: str, __: Mapping[str, str], body: bytes) -> Answer:
    """Answers a search for ids as Elasticsearch does, the rescored best first, and how long it took."""
    assert path == "/products/_search"
    query = json.loads(body)
    found = query["query"]["ids"]["values"]
    assert query["rescore"]["window_size"] == query["size"] == len(found)
    hits = [{"_index": "products", "_id": place, "_score": float(i)} for i, place in enumerate(found)][::-1]
    answer = {"took": len(body) % 7, "timed_out": False, "hits": {"max_score": hits[0]["_score"], "hits": hits}}
    return 200, {"Content-Type": "application/json"}, json.dumps(answer).encode()


def vespa(_: str, path: str, __: Mapping[str, str], body: bytes) -> Answer:
    """Answers a YQL query as Vespa does."""
    assert path == "/search/"
    query = json.loads(body)
    places = [int(place) for place in re.search(r"place in \((.*)\)", query["yql"])[1].split(", ")]
    assert query["hits"] == len(places)
    children = [{"id": f"index:products/0/{p}", "relevance": -p / 7, "fields": {"place": p}} for p in places]
    answer = {"root": {"id": "toplevel", "fields": {"totalCount": len(places)}, "children": children}}
    return 200, {"Content-Type": "application/json"}, json.dumps(answer).encode()


@pytest.mark.parametrize(
    ("product", "server", "path"),
    [("Elasticsearch", elasticsearch, "/products/_search"), ("Vespa", vespa, "/search/")],
)
def test_the_documented_templates_work(
    ask: Ask, serve_http: Any, ends_in: Any, product: str, server: Any, path: str
) -> None:
    report = ask({"url": serve_http(server) + path, "adapter": documented(product)})
    ends_in(report, "PASS")
    (audit,) = report.measurements.audits
    assert (audit.n_wrong, audit.n_checked) == (0, audit.n_answers)


def test_errors_redirects_and_oversize_answers_are_failures_by_name(
    ask: Ask, serve_http: Any, bundle: Bundle, ends_in: Any
) -> None:
    odd = {
        3: (500, {}, b"oops"), 5: (302, {"Location": "http://127.0.0.1:1/"}, b""), 7: (200, {}, bytes(3_000_000)),
    }  # fmt: skip

    def distort(number: int, scores: np.ndarray) -> Any:
        return odd.get(number % 10, scores) if number > 20 else scores

    target = {"url": serve_http(scorer_of(bundle, distort)) + INFER, "max_answer_mb": 1, "bundle": str(bundle.path)}
    report = ask(target, sla={"p50_ms": 500, "error_rate": 0.001})
    ends_in(report, "FAIL")
    assert "redirected" in names(report)
    assert "wrong-answers" not in names(report)
    (audit,) = report.measurements.audits
    assert audit.n_redirected > 0


def test_tls_and_credentials_leave_no_trace(
    ask: Ask,
    serve_http: Any,
    bundle: Bundle,
    certificate: Any,
    ends_in: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    secrets = {"OUR_TOKEN": "tok-5f2b9c", "OUR_KEY": "key-77aa01"}
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    plain = scorer_of(bundle)

    def guarded(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        known = headers.get("authorization"), headers.get("x-api-key")
        if known != ("Bearer tok-5f2b9c", "key-77aa01"):
            return 401, {}, b"who are you?"
        if json.loads(body[: header_length(headers)] if body else "{}").get("id") == "body-3":
            return 403, {}, f"not for {known}".encode()
        return plain(method, path, headers, body)

    url = serve_http(guarded, certificate, host="127.0.0.2") + INFER
    access = {"bearer_env": "OUR_TOKEN", "headers_env": {"X-Api-Key": "OUR_KEY"}, "tls_ca": str(certificate.ca)}
    report = ask({"url": url, "bundle": str(bundle.path), **access})
    ends_in(report, "PASS")
    assert any("HTTP 403: not for ('Bearer ***', '***')" in note for note in report.measurements.load.notes)
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert any(file.name == "answers.npz" for file in files)
    for file in files:
        for value in secrets.values():
            assert value.encode() not in file.read_bytes(), file
    monkeypatch.delenv("OUR_TOKEN")
    with pytest.raises(TargetError, match="OUR_TOKEN is not set"):
        ask({"url": url, **access})


def test_an_unverified_certificate_is_a_finding(ask: Ask, serve_http: Any, bundle: Bundle, certificate: Any) -> None:
    url = serve_http(scorer_of(bundle), certificate) + INFER
    with pytest.raises(TargetError, match="CERTIFICATE_VERIFY_FAILED"):
        ask({"url": url})
    assert "tls-not-verified" in names(ask({"url": url, "tls_verify": False}))


def test_another_host_is_refused_before_anything_is_sent(ask: Ask) -> None:
    with pytest.raises(TargetError, match=r"192\.0\.2\.1 is not a loopback address"):
        ask({"url": "http://192.0.2.1/v2/models/m/infer"})


def served_by_command(bundle: Bundle, port: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "harness", "serve", str(bundle.path), "--port", str(port)]
    return {"url": f"http://127.0.0.1:{port}/v2/models/model/infer", "command": command, "bundle": str(bundle.path)}


def test_a_command_starts_the_endpoint_and_ends_with_it(
    ask: Ask, bundle: Bundle, free_port: int, tmp_path: Path, ends_in: Any
) -> None:
    report = ask(served_by_command(bundle, free_port))
    ends_in(report, "PASS")
    (audit,) = report.measurements.audits
    assert (audit.n_wrong, audit.n_checked) == (0, report.measurements.load.n_planned)
    (log,) = (tmp_path / "results").glob("*/target.log")
    assert "serving" in log.read_text()


def test_a_command_that_ends_too_soon_is_an_error_with_its_log(ask: Ask, free_port: int) -> None:
    with pytest.raises(TargetError, match=r"exit code 7\n  \| no model"):
        ask({
            "url": f"http://127.0.0.1:{free_port}{INFER}",
            "command": [sys.executable, "-c", "print('no model'); raise SystemExit(7)"],
        })  # fmt: skip


def test_a_command_that_never_answers_is_given_up(ask: Ask, free_port: int) -> None:
    command = [sys.executable, "-c", "import time; time.sleep(600)"]
    with pytest.raises(TargetError, match=r"not ready after 0\.5 s.*ConnectionRefusedError"):
        ask({"url": f"http://127.0.0.1:{free_port}{INFER}", "command": command, "ready_timeout_s": 0.5})


def test_an_endpoint_killed_under_load_ends_the_run_and_keeps_its_samples(
    bundle: Bundle, free_port: int, tmp_path: Path
) -> None:
    def kill_once(event: str | Event) -> None:
        if isinstance(event, LoadProgress) and event.passed_s >= 1:
            for process in psutil.Process().children(recursive=True):
                if "serve" in process.cmdline() and "supervisor" not in " ".join(process.cmdline()):
                    process.kill()

    whole = {
        "name": "killed", "target": served_by_command(bundle, free_port), "sla": {"p50_ms": 500},
        "traffic": {**TRAFFIC, "window_s": 60},
    }  # fmt: skip
    settings = Settings(out=tmp_path, cache=Cache(tmp_path / "cache"))
    with pytest.raises(TargetError, match="the command ended with exit code"):
        run(Scenario.model_validate(whole), settings, kill_once)
    (run_dir,) = tmp_path.glob("killed-*")
    kept = json.loads((run_dir / "result.json").read_text())
    assert (kept["verdict"]["status"], kept["measurements"]["complete"]) == ("INVALID", False)
    assert (run_dir / "load" / "samples.npz").is_file()


def test_the_command_line_probes_and_runs(cli: Any, serve_http: Any, bundle: Bundle) -> None:
    url = serve_http(scorer_of(bundle)) + INFER
    told = cli("probe", url, "--n-features", 12, "--n-candidates", 50)
    assert told.returncode == 0, told.stderr
    assert "10 of 10 requests answered" in told.stdout
    assert "encoding binary" in told.stdout
    found = json.loads(cli("probe", url, "--n-features", 12, "--set", "encoding=json", "--json").stdout)
    assert (found["adapter"]["encoding"], found["problem"]) == ("json", "")
    down = cli("probe", "http://127.0.0.1:1/x", "--adapter", "rank", "--n-features", 3)
    assert (down.returncode, "Traceback" in down.stderr) == (3, False)
    assert cli("probe", "http://192.0.2.1/", "--n-features", 3).returncode == 3

    from ruamel.yaml import YAML

    path = cli.root / "asked.yaml"
    whole = {"name": "asked", "target": {"url": url}, "traffic": TRAFFIC, "sla": {"p50_ms": 500}}
    YAML().dump(whole, path)
    done = cli("run", path)
    assert cli.ended(done, 0), done.stderr
    assert ("The target meets p50 500 ms" in done.stdout) == (done.returncode == 0)
    assert "The target under load" in done.stdout
    assert "Nothing to compare with: target." in done.stdout
    run_dir = cli.only_run("asked")
    assert cli("judge", run_dir).returncode == done.returncode
    for name in ("report.html", "summary.md"):
        assert "The target under load" in (run_dir / name).read_text()
    assert (run_dir / "load" / "answers.npz").is_file()
