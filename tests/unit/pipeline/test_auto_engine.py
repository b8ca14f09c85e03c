"""The choice that `engine: auto` stands for, among real engines."""

from __future__ import annotations

import numpy as np
import pytest

from harness.pipeline import auto_engine
from harness.pipeline.auto_engine import choose, lengths_of
from harness.scenario import Choice
from harness.scenario.traffic import DlrmCandidates, LognormalCandidates


@pytest.fixture
def chosen(splits, tmp_path, monkeypatch):
    def run(bundle, *labels, engine="auto", data=splits.test, n_candidates=20):
        monkeypatch.setattr(auto_engine, "everyone", lambda: labels)
        return choose(Choice.model_validate(engine), bundle, data, n_candidates, tmp_path, (), lambda _: None)

    return run


def test_a_named_engine_stays(chosen, teacher):
    named = Choice(kind="gtil")
    assert chosen(teacher("lightgbm"), engine=named) == (named, None)


def test_the_faster_exact_engine_wins_and_the_figures_are_kept(chosen, teacher, monkeypatch):
    engine, why = chosen(teacher("lightgbm"), "gtil", "native", "fake:mean_ms=0")
    assert engine.kind in ("gtil", "native"), "a clock that scores nothing is faster, but no engine"
    assert why.name == "engine-chosen"
    assert not why.hard
    assert why.message.startswith(f"{engine.kind} is the fastest exact engine here")
    assert {"gtil", "native"} <= set(why.message.replace("(", " ").split())
    assert "20 candidates" in why.message


def test_a_lossy_engine_is_never_chosen(chosen, teacher):
    pytest.importorskip("onnxruntime")
    engine, why = chosen(teacher("mlp"), "onnxruntime_int8", "native")
    assert engine.kind == "native"
    assert "onnxruntime_int8" not in why.message


def test_where_nothing_else_is_exact_the_reference_stands(chosen, teacher):
    engine, why = chosen(teacher("lightgbm"), "fake:mean_ms=0")
    assert engine == Choice(kind="native")
    assert "defines the scores" in why.message


def test_an_engine_over_the_compile_limit_is_named_as_not_considered(chosen, teacher):
    """On a busy machine native may be over it too, and stands all the same."""
    engine, why = chosen(teacher("mlp"), "aotinductor", "native", engine={"kind": "auto", "compile_limit_s": 0.01})
    assert engine.kind == "native"
    assert "not considered: aotinductor (was not ready after" in why.message


def test_without_data_rows_are_made_up(chosen, teacher):
    engine, _ = chosen(teacher("xgboost"), "native", data=None, n_candidates=None)
    assert engine.kind == "native"


def test_lengths_are_those_of_the_traffic(splits):
    assert lengths_of(7, splits.test) == [7]
    assert lengths_of(None, None) == [100]
    assert set(lengths_of(None, splits.test)) <= set(splits.test.group_sizes.tolist())
    assert np.median(lengths_of(LognormalCandidates(kind="lognormal", median=80, sigma=0.5), None)) == pytest.approx(
        80, rel=0.15
    )
    dlrm = lengths_of(DlrmCandidates(kind="dlrm"), None)
    assert (min(dlrm), max(dlrm)) == (100, 700)
    assert np.mean(dlrm) == pytest.approx(250, rel=0.15)
