"""Benches of small bundles and files, with the real engines."""

from __future__ import annotations

import json
import shutil

import pytest

from harness.cache import Cache
from harness.errors import EngineError, HarnessError, ModelError, UsageError
from harness.pipeline import bench as module
from harness.pipeline.bench import Question, bench
from harness.pipeline.rejudge import judge_study
from harness.pipeline.state import Settings
from harness.pipeline.studies import read_study


@pytest.fixture
def asked(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_EFFORT", module.Effort(seconds=0.0, fewest=5, most=5))

    def ask(what, *engines, lengths=(1, 5), progress=lambda _: None):
        question = Question(what, (), lengths, engines or ("native", "gtil"), 600.0)
        return bench(question, Settings(tmp_path / "results", Cache(tmp_path / "cache"), "harness bench"), progress)

    return ask


def test_a_bundle_without_data_is_timed_on_made_up_rows(asked, teacher):
    run_dir, found = asked(teacher("lightgbm").path)
    assert [engine.engine for engine in found.engines] == ["native", "gtil"]
    for engine in found.engines:
        assert engine.exact
        assert engine.memory_bytes > 0
        assert [(times.n_candidates, times.n_calls) for times in engine.times] == [(1, 5), (5, 5)]
        for times in engine.times:
            assert times.p99_us >= times.median_us > 0
            assert times.ns_per_candidate_tree == pytest.approx(1e3 * times.median_us / (times.n_candidates * 20))
    assert found.candidates.startswith("random rows")
    assert found.measurements.complete
    assert {path.name for path in run_dir.path.iterdir()} == {"bench.json", "bench.html", "bench.md", "SHA256SUMS"}
    assert read_study(run_dir).model_dump_json() == found.model_dump_json()
    (run_dir.path / "bench.html").unlink()
    assert judge_study(run_dir, found) == found
    assert (run_dir.path / "bench.html").is_file()


@pytest.mark.parametrize(("kind", "file"), [("lightgbm", "model.txt"), ("xgboost", "model.json")])
def test_a_model_file_needs_nothing_beside_it(asked, teacher, tmp_path, kind, file):
    mine = shutil.copyfile(teacher(kind).file(file), tmp_path / f"mine{file[5:]}")
    _, found = asked(mine, "gtil")
    assert found.name == "mine"
    assert found.n_trees == 20
    assert found.reference == "native"
    assert max(times.difference for engine in found.engines for times in engine.times) < 1e-5


def test_a_folder_that_is_no_bundle_and_a_file_that_is_no_model_are_refused(asked, tmp_path):
    with pytest.raises(UsageError, match="is no scenario, bundle"):
        asked(tmp_path)
    (tmp_path / "net.onnx").write_bytes(b"x")
    with pytest.raises(ModelError, match="not a file of trees"):
        asked(tmp_path / "net.onnx")
    with pytest.raises(UsageError, match="did you mean 'gtil'"):
        asked(tmp_path, "gtill")


def test_without_any_engine_the_reasons_are_the_error_and_are_kept(asked, teacher, tmp_path):
    with pytest.raises(EngineError, match="onnxruntime_int8: it scores networks"):
        asked(teacher("lightgbm").path, "onnxruntime_int8")
    (kept,) = tmp_path.glob("results/*/bench.json")
    assert "onnxruntime_int8" in json.loads(kept.read_text())["skipped"][0]["engine"]


def test_what_was_timed_before_an_interruption_is_published(asked, teacher, tmp_path):
    def interrupt(event):
        if "length 2/" in str(event):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        asked(teacher("lightgbm").path, "gtil", progress=interrupt)
    (kept,) = tmp_path.glob("results/*/bench.json")
    found = json.loads(kept.read_text())
    assert found["measurements"]["failure"] == "interrupted"
    assert [len(engine["times"]) for engine in found["engines"]] == [1]
    assert "Incomplete: interrupted" in kept.with_suffix(".html").read_text()


def test_a_target_is_not_ours_to_open(asked, tmp_path):
    path = tmp_path / "t.yaml"
    path.write_text(
        "name: t\ntarget: {url: 'http://127.0.0.1:9/x'}\ntraffic: {n_features: 3}\nsla: {p99_ms: 5}\n", encoding="utf-8"
    )
    with pytest.raises(HarnessError, match="its target is served by others"):
        asked(path)
