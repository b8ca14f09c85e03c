"""A scenario with a target: what it needs, what it refuses, and that it reads back as it was saved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from harness.scenario import Scenario, dump_yaml, from_resolved, load, resolved

Loads = Callable[..., list[Scenario]]
Says = Callable[..., list[str]]

HEAD = "name: q\nsla: {p99_ms: 5}\n"
URL = "url: http://127.0.0.1:8080/v2/models/m/infer"
RANDOM = f"{HEAD}traffic: {{n_features: 12}}\ntarget: {{{URL}}}\n"


def asking(keys: str) -> str:
    return f"{HEAD}target: {{{URL}, {keys}}}\n"


def test_a_target_alone_takes_random_candidates(loads: Loads) -> None:
    (scenario,) = loads(RANDOM)
    assert not scenario.has_data
    assert scenario.target is not None
    assert scenario.target.adapter.kind == "oip"


def test_a_target_with_data_takes_them_from_there(loads: Loads) -> None:
    (scenario,) = loads(f"{HEAD}data: synthetic_feed\ntarget: {{{URL}, adapter: rank}}\n")
    assert scenario.has_data


@pytest.mark.parametrize(
    "text",
    [
        RANDOM,
        "data: synthetic_feed\n" + asking("adapter: {kind: rank, features_as: named}, bearer_env: TOKEN"),
    ],
)
def test_what_is_saved_reads_back_as_the_same(loads: Loads, text: str, tmp_path: Path) -> None:
    (scenario,) = loads(text)
    saved = resolved(scenario)
    assert not {"ranker", "compress", "engine", "serve"} & saved.keys()
    assert ("data" in saved) == scenario.has_data
    assert len(saved["target"]["adapter"]) > 3
    again = from_resolved(YAML(typ="safe", pure=True).load(dump_yaml(saved)))
    assert resolved(again) == saved
    (tmp_path / "saved.yaml").write_text(dump_yaml(saved))
    (loaded,) = load([tmp_path / "saved.yaml"])
    assert resolved(loaded.scenario) == saved


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (RANDOM + "ranker: mlp\n", "q.yaml:5:1: ranker: does not go with target, which replaces build and serve"),
        (RANDOM + "compress: [quantise]\n", "q.yaml:5:1: compress: does not go with target"),
        (RANDOM + "engine: fake\n", "q.yaml:5:1: engine: does not go with target"),
        (RANDOM + "serve: {port: 80}\n", "q.yaml:5:1: serve: does not go with target"),
        (RANDOM + "data: synthetic_feed\n", "q.yaml:3:11: traffic.n_features: is for random candidates"),
        (f"{HEAD}traffic: {{n_features: 3}}\n", "q.yaml:3:11: traffic.n_features: is for random candidates of"),
        (f"{HEAD}target: {{{URL}}}\n", "q.yaml:1:1: traffic: needs n_features"),
        (RANDOM.replace("12", "12, n_candidates: null", 1), "q.yaml:3:27: traffic.n_candidates: null takes query"),
        (RANDOM.replace("12", "12, encoding: json", 1), "q.yaml:3:27: traffic.encoding: is for our own server"),
        (RANDOM.replace("5}", "5, ndcg_drop: 0.1}", 1), "q.yaml:2:18: sla.ndcg_drop: can't be judged for a target"),
        (RANDOM.replace("5}", "5, memory_mb: 9}", 1), "q.yaml:2:18: sla.memory_mb: can't be judged for a target"),
        (RANDOM.replace("5}", "5, size_mb: 9}", 1), "q.yaml:2:18: sla.size_mb: can't be judged for a target without"),
        (f"{HEAD}target: {{adapter: oip}}\n", "q.yaml:3:1: target.url: is missing"),
        (asking("adapter: oipp"), "target.adapter: no adapter 'oipp' (did you mean 'oip'?"),
        (asking("adapter: {encoding: json}"), "target.adapter.kind: is missing: one of oip, rank"),
        (asking("adapter: {kind: oip, encodin: json}"), "target.adapter.encodin: unknown key"),
        (asking("adapter: {kind: template}"), "target.adapter: needs one of body and function"),
        (asking("bearer_env: 'sk-secret!'"), "target.bearer_env: must be the name of an environment"),
        (asking("bearer_env: LOCUST_TOKEN"), "target.bearer_env: LOCUST_TOKEN is one of Locust's own"),
        (asking("headers_env: {Host: H}"), "target.headers_env: 'Host' is not the name of a header"),
        (asking("tls_verify: 1"), "target.tls_verify: must be true or false"),
    ],
)  # fmt: skip
def test_what_does_not_go_with_a_target(says: Says, text: str, problem: str) -> None:
    found = says(text)
    assert any(problem in said for said in found), found
    assert not any("sk-secret" in said for said in found)


def test_a_bundle_to_compare_with_has_a_size(loads: Loads) -> None:
    text = RANDOM.replace("5}", "5, size_mb: 9}", 1).replace("infer}", "infer, bundle: model}")
    assert loads(text)[0].sla.size_mb == 9


def test_settings_reach_into_the_adapter(loads: Loads) -> None:
    (scenario,) = loads(RANDOM, "target.adapter.encoding=json", "target.remote=true")
    assert scenario.target is not None
    assert scenario.target.adapter.options == {"encoding": "json"}
    assert scenario.target.remote


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ("traffic: {n_candidates: null}", "null takes query groups, and made-up candidates have none"),
        ("sla: {ndcg_drop: 0.1}", "ndcg_drop: can't be judged without grades: add a data block"),
    ],
)
def test_a_model_file_without_data_leaves_questions_open(says: Says, keys: str, problem: str) -> None:
    head = "name: q\n" if keys.startswith("sla") else HEAD
    assert problem in " ".join(says(f"{head}ranker: {{kind: file, path: model.txt}}\n{keys}\n"))
