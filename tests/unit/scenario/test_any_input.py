"""Whatever is in a scenario file, the answer is scenarios or a ScenarioError."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from harness.errors import ScenarioError
from harness.scenario import Scenario, dump_yaml, from_resolved, load, resolved

WORDS = [
    *("name", "description", "data", "ranker", "compress", "engine", "serve", "traffic", "sla", "ndcg", "kind", "k"),
    *("extends", "vars", "matrix", "include", "exclude", "suite", "scenarios", "ranker.n_trees", "compress.0.leaves"),
    *("p99_ms", "p9_ms", "n_trees", "hidden", "leaves", "lightgbm", "mlp", "letor", "train", "test", "quantise"),
    *("arrival", "offered_qps", "n_candidates", "${x}", "${x:-1}", "a${vars}", "${", "q.yaml", "*.yaml", "x", ""),
]
KEYS = st.sampled_from(WORDS) | st.text(max_size=5)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | KEYS
VALUES = st.recursive(SCALARS, lambda below: st.lists(below, max_size=4) | st.dictionaries(KEYS, below, max_size=5))
SECTION = st.dictionaries(KEYS, VALUES, max_size=4)
FILES = st.fixed_dictionaries(
    {},
    optional={
        "name": st.just("q") | VALUES,
        "sla": st.just({"p99_ms": 5}) | VALUES,
        "ranker": st.just("mlp") | SECTION.map(lambda keys: {**keys, "kind": "lightgbm"}) | VALUES,
        "compress": st.lists(SECTION.map(lambda keys: {**keys, "kind": "quantise"}), max_size=3) | VALUES,
        "traffic": SECTION,
        "vars": st.dictionaries(st.sampled_from(["x", "vars", "y"]), VALUES, max_size=3) | VALUES,
        "matrix": st.dictionaries(KEYS, st.lists(VALUES, max_size=2), max_size=3) | VALUES,
        "extends": st.just("q.yaml") | VALUES,
    },
)
OVERRIDES = st.lists(st.tuples(KEYS, VALUES).map(lambda pair: f"{pair[0]}={json.dumps(pair[1])}"), max_size=2)
MANY = settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def outcome(content: bytes, overrides: list[str]) -> list[Scenario]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "q.yaml"
        file.write_bytes(content)
        try:
            scenarios = [entry.scenario for entry in load([file], overrides)]
        except ScenarioError:
            return []
    assert len({scenario.name for scenario in scenarios}) == len(scenarios)
    return scenarios


@MANY
@given(FILES | VALUES, OVERRIDES)
@example({"extends": "\0"}, [])
@example({"extends": "x" * 5000}, [])
@example({"extends": "\ud800"}, [])
@example({"suite": "s", "scenarios": ["\0", "\ud800", "x" * 5000, "**x", "[", "a/**/\0*"]}, [])
@example({"name": "q", "sla": {"p99_ms": 5}, "description": "\ud800"}, [])
@example({"name": "q", "sla": {"p99_ms": 10**400}}, [])
@example({}, ["null=null"])
def test_any_mapping_is_a_scenario_or_a_scenario_error(value: object, overrides: list[str]) -> None:
    for scenario in outcome(json.dumps(value).encode(), overrides):
        saved = resolved(scenario)
        assert resolved(from_resolved(json.loads(json.dumps(saved)))) == saved
        assert outcome(dump_yaml(saved).replace("${", "$${").encode(), [])


@MANY
@given(st.binary() | st.text(alphabet="ab:-[]{}&*!|>%@`'\"#?,\n\t $<=~0.\ufeff\x00é").map(str.encode), OVERRIDES)
@example(b"%YAML 1.1\n---\na: yes", [])
@example(b"%TAG ! x\n---\na: !x 1", [])
@example(b"a: !<x> 1\n", [])
@example(b"!!int\n", [])
@example(b"a: " + b"[" * 300 + b"]" * 300, [])
@example(b"{a: " * 150 + b"}" * 150, [])
def test_any_text_is_a_scenario_or_a_scenario_error(content: bytes, overrides: list[str]) -> None:
    assert outcome(content, overrides) == []
