from __future__ import annotations

import io
import json

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from harness import registry
from harness.scenario import TEMPLATE, json_schema

HEAD = "name: q\nsla: {p99_ms: 25, p97_ms: 20, ndcg: {k: 5}}\n"


@pytest.fixture(scope="module")
def schema() -> Draft202012Validator:
    described = json_schema()
    Draft202012Validator.check_schema(described)
    return Draft202012Validator(json.loads(json.dumps(described)))


def valid(schema: Draft202012Validator, text: str) -> bool:
    return schema.is_valid(YAML(typ="safe", pure=True).load(io.StringIO(text)))


@pytest.mark.parametrize(
    "text",
    [
        HEAD,
        TEMPLATE,
        HEAD + "ranker: mlp\ncompress: [quantise, {kind: distil_mlp, hidden: [8, '${W}']}]\n",
        HEAD + "compress: null\ntraffic: {n_candidates: null, offered_qps: '${QPS:-5}'}\n",
        HEAD + "data: '${DATA}'\nranker: {kind: '${RANKER}', anything: 1}\nengine: {kind: tl2cgen}\n",
        HEAD + "data: {kind: letor, train: a.txt, test: [b.txt, c.txt]}\n",
        "extends: base.yaml\nranker: {n_trees: 5}\n",
        HEAD + "vars: {x: 1}\nmatrix: {ranker.n_trees: [5, '${x}'], include: [{ranker: mlp}], exclude: []}\n",
    ],
)
def test_scenarios_are_accepted(schema: Draft202012Validator, text: str) -> None:
    assert valid(schema, text)


@pytest.mark.parametrize(
    "text",
    [
        "name: q\n",
        HEAD + "rankr: mlp\n",
        HEAD + "ranker: nothing\n",
        HEAD + "ranker: {kind: lightgbm, n_leafs: 5}\n",
        HEAD + "ranker: {kind: lightgbm, n_trees: 0}\n",
        HEAD + "ranker: {kind: lightgbm, n_trees: five}\n",
        HEAD + "ranker: {n_trees: 5}\n",
        HEAD + "compress: [{kind: distil_mlp, hiden: [8]}]\n",
        HEAD + "compress: quantise\n",
        HEAD + "traffic: {arrival: poison}\n",
        HEAD + "data: {kind: letor, train: a.txt}\n",
        HEAD + "matrix: {ranker.n_trees: 5}\n",
        "name: q\nsla: {p9z_ms: 5}\n",
        "name: q\nsla: {p97_ms: -5}\n",
        "name: a/b\nsla: {p99_ms: 5}\n",
    ],
)
def test_faults_are_rejected(schema: Draft202012Validator, text: str) -> None:
    assert not valid(schema, text)


def test_every_plug_in_is_described() -> None:
    definitions = json_schema()["$defs"]
    for kind in ("datasets", "rankers", "methods", "engines", "adapters"):
        for name in registry.names(kind):
            described = definitions[f"{kind}.{name}"]
            assert described["description"] == registry.summary(kind, name)
            assert set(registry.options_model(kind, name).model_fields) < set(described["properties"])
