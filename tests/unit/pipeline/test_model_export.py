"""Exports: what is checked, what is refused by name, and that a wrong one is not written."""

from __future__ import annotations

import subprocess
from dataclasses import replace

import pytest
from click.testing import CliRunner
from hand_made_trees import category_stump, leaf, sealed, stump

from harness import registry
from harness.cli import harness
from harness.errors import HarnessError, ModelError, UsageError
from harness.pipeline.model_export import export_model
from harness.trees.forest import Forest


@pytest.fixture
def invoke(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(harness, ("export", *map(str, arguments)), standalone_mode=False)


@pytest.fixture
def exported(tmp_path):
    return lambda bundle, form: export_model(bundle, form, tmp_path / "out", lambda _: None)


def test_the_command_prints_the_lines_that_load_what_a_run_directory_has_kept(invoke, teacher, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "bundle").symlink_to(teacher("xgboost").path)
    done = invoke("run", "--to", "treelite", "out/new")
    assert done.exception is None
    assert "largest difference" in done.stdout
    assert 'treelite.Model.deserialize("model.treelite")' in done.stdout
    assert (tmp_path / "out" / "new" / "model.treelite").is_file()
    assert "not a bundle" in str(invoke("out", "--to", "treelite", "again").exception)


def test_bad_wishes(invoke, teacher, tmp_path):
    bundle = teacher("lightgbm").path
    assert "did you mean 'xgboost'" in str(invoke(bundle, "--to", "xgbost", "out").exception)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "precious").write_text("x")
    for folder in ("full", "full/precious"):
        failed = invoke(bundle, "--to", "lightgbm", folder).exception
        assert isinstance(failed, UsageError)
        assert "not an empty folder" in str(failed)
    below = invoke(bundle, "--to", "treelite", "full/precious/below").exception
    assert isinstance(below, HarnessError)
    assert "can't write" in str(below)
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["precious"]


def test_trees_of_no_library_become_lightgbm_text_where_it_can_hold_them(exported, tmp_path):
    trees = (stump(0, 0.5, 1.0, 2.0), category_stump(1, [2, 40], 0.25, -0.5), leaf(0.125))
    forest = Forest(trees, 2, "<", "float32", base_score=0.5)
    folder = exported(sealed(forest, tmp_path / "sum"), "lightgbm").folder
    assert "num_leaves=1" in (folder / "model.txt").read_text()
    left = sealed(Forest((category_stump(1, [2], 0.0, 1.0, default_left=True),), 2), tmp_path / "left")
    average = sealed(replace(forest, average=True), tmp_path / "mean")
    for bundle, why in ((left, "sends missing values left"), (average, "which this forest is not")):
        with pytest.raises(ModelError, match=why):
            export_model(bundle, "lightgbm", tmp_path / "no", lambda _: None)


def test_categories_go_to_c_and_not_to_onnx(exported, tmp_path):
    bundle = sealed(Forest((category_stump(0, [1, 3], 1.0, 2.0), stump(1, 0.5, 0.1, 0.2)), 2), tmp_path / "b")
    with pytest.raises(ModelError, match="its trees split by category"):
        exported(bundle, "onnx")
    exported(bundle, "c")


def test_networks_quantised_at_run_time_have_no_graph(exported, teacher):
    bundle = teacher("mlp")
    meta = {**bundle.manifest.meta, "quantise": {"activations": "dynamic"}}
    changed = replace(bundle, manifest=bundle.manifest.model_copy(update={"meta": meta}))
    with pytest.raises(ModelError, match="at run time"):
        exported(changed, "onnx")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("scores = numpy.zeros(len(x))", "the export scores 0"),
        ("scores = x[:3, 0]", "scores of shape"),
        ("import no_such_module", "can't be used"),
    ],
)
def test_what_scores_otherwise_is_not_written(exported, teacher, tmp_path, monkeypatch, wrong, message):
    monkeypatch.setattr(registry.exporter("treelite"), "USAGE", wrong + "\n")
    with pytest.raises(ModelError, match=message):
        exported(teacher("lightgbm"), "treelite")
    assert not (tmp_path / "out").exists()


def test_what_cannot_be_checked_says_so(exported, teacher, monkeypatch, tmp_path):
    monkeypatch.setattr(registry.exporter("c"), "lacks", lambda: "cc is not on PATH")
    assert exported(teacher("lightgbm"), "c").checked == "Not checked: cc is not on PATH."
    assert "Not checked" in (tmp_path / "out" / "README.md").read_text()


def test_a_c_program_calls_it(teacher, tmp_path, exported):
    if reason := registry.exporter("c").lacks():
        pytest.skip(reason)
    folder = exported(teacher("lightgbm"), "c").folder
    main = """
#include <math.h>
#include <stdio.h>
#include "ranker.h"
int main(void) {
  float x[3 * RANKER_N_FEATURES], scores[3];
  for (int i = 0; i < 3 * RANKER_N_FEATURES; ++i) x[i] = i % 5 ? 0.1f * i - 1 : NAN;
  if (ranker_score(x, 3, scores) || ranker_score(x, 0, scores)) return 1;
  printf("%d %.6g %.6g %.6g", RANKER_N_FEATURES, scores[0], scores[1], scores[2]);
  return 0;
}
"""
    (folder / "main.c").write_text(main)
    build = "make -s CFLAGS='-O0 -Wall -Wextra -Wno-unused -Werror' && cc main.c -o main -L. -lranker -Wl,-rpath,."
    subprocess.run(build, shell=True, cwd=folder, check=True)
    said = subprocess.run(["./main"], cwd=folder, check=True, capture_output=True, text=True).stdout.split()
    assert said[0] == "12"
    assert len(set(said[1:])) == 3
