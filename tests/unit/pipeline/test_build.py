import math
import multiprocessing
import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness.cache import Cache
from harness.compress import _exit_choice, _gate
from harness.errors import ModelError
from harness.pipeline.build import Builder, code_digest
from harness.pipeline.method_rules import gate_missed
from harness.records import NdcgSpec
from harness.scenario import Choice, Scenario


def scenario_of(**changes):
    ranker = {"kind": "lightgbm", "n_trees": 12, "n_leaves": 8, "min_rows_per_leaf": 5}
    return Scenario.model_validate({"name": "s", "ranker": ranker, "sla": {"p99_ms": 1}, **changes})


@pytest.fixture
def chain(splits, tmp_path):
    def build(scenario, *, enabled=True):
        cache = Cache(tmp_path, enabled=enabled)
        return Builder(cache, splits, NdcgSpec(), 1, lambda _: None).chain(scenario)

    return build


def test_each_step_has_its_row_its_parent_and_its_control(chain):
    steps = chain(scenario_of(compress=[{"kind": "prune_leaves", "keep": 0.5}, "quantise"]))
    assert [step.row.step for step in steps] == ["lightgbm", "prune_leaves", "quantise"]
    teacher, pruned, quantised = (step.bundle.manifest for step in steps)
    assert pruned.parents == (teacher.digest,)
    assert quantised.parents == (pruned.digest,)
    assert steps[0].row.quality.drop == 0
    control = steps[1].row.control
    assert control.step == "truncate"
    assert 0 < control.size.n_nodes <= pruned.size.n_nodes
    paired = steps[1].row.against_control
    assert paired.drop == pytest.approx(steps[1].row.quality.drop - control.quality.drop)
    assert paired.drop_lower <= paired.drop <= paired.drop_upper


def test_quality_is_tested_at_the_declared_margin(chain):
    (tested,) = chain(scenario_of(sla={"p99_ms": 1, "ndcg_drop": 0.02}))
    assert (tested.row.quality.margin, tested.row.quality.randomisation_p) == (0.02, 1.0)
    (untested,) = chain(scenario_of())
    assert math.isnan(untested.row.quality.margin_p)


def test_a_gate_that_nothing_smaller_meets_is_told(chain):
    strict = chain(scenario_of(compress=[{"kind": "prune_leaves", "max_drop": 0.0}]))[1]
    kept = strict.bundle.manifest.size.n_nodes
    assert bool(strict.row.gate_missed) == (kept == chain(scenario_of())[0].bundle.manifest.size.n_nodes)
    loose = chain(scenario_of(compress=[{"kind": "truncate", "max_drop": 1.0}]))[1]
    assert (loose.bundle.manifest.size.n_trees, loose.row.gate_missed) == (1, "")
    choice = Choice.model_validate({"kind": "truncate", "max_drop": 0.001})
    manifest = loose.bundle.manifest
    assert "stays within max_drop 0.001" in gate_missed(choice, manifest, manifest)
    told = manifest.model_copy(update={"meta": {"gate_missed": "the best loses 0.2"}})
    assert gate_missed(choice, manifest, told) == "the best loses 0.2"
    assert "0.2" not in gate_missed(choice, told, told)
    assert gate_missed(Choice.model_validate({"kind": "truncate", "keep": 1}), manifest, manifest) == ""


@pytest.mark.parametrize("student", [{"kind": "distil_mlp"}, {"kind": "distil_gbdt", "targets": "mixed"}])
def test_what_learns_from_the_teacher_alone_comes_first(chain, student):
    with pytest.raises(ModelError, match="nothing comes of truncate before it") as caught:
        chain(scenario_of(compress=[{"kind": "truncate", "keep": 0.5}, student]))
    assert caught.value.where == f"compress.1: {student['kind']}"
    going_on = {"kind": "distil_gbdt", "start": "pruned", "n_trees": 8, "n_leaves": 4}
    assert len(chain(scenario_of(compress=[{"kind": "truncate", "keep": 0.5}, going_on]))) == 3


def test_neither_ranker_nor_method_is_handed_a_row_of_test(splits, tmp_path):
    seen = Builder(Cache(tmp_path), splits, NdcgSpec(), 1, lambda _: None)._seen
    assert (seen.train, seen.valid, seen.test.n_rows) == (splits.train, splits.valid, 0)


def test_grades_that_tell_no_ranking_from_another_pass_no_gate(splits, tmp_path):
    flat = {
        name: replace(own, grades=np.ones_like(own.grades)) for name, own in vars(splits).items() if name != "digest"
    }
    recipes = [
        [{"kind": "truncate", "max_drop": 0.1}],
        [{"kind": "prune_leaves", "max_drop": 0.1}],
        [{"kind": "prune_features", "max_drop": 0.1}],
        [{"kind": "prune_features", "max_drop": 0.1, "by": "importance"}],
        [{"kind": "early_exit", "max_drop": 0.1}],
    ]
    for changed in ("valid", "test"):
        data = replace(splits, **{changed: flat[changed]})
        builder = Builder(Cache(tmp_path / changed), data, NdcgSpec(), 1, lambda _: None)
        for recipe in recipes:
            with pytest.raises(ModelError, match="no query group has two different grades"):
                builder.chain(scenario_of(compress=recipe, sla={"p99_ms": 1, "ndcg_drop": 0.01}))
    builder = Builder(Cache(tmp_path), replace(splits, valid=flat["valid"]), NdcgSpec(), 1, lambda _: None)
    assert len(builder.chain(scenario_of(compress=[{"kind": "prune_features", "keep": 0.5}]))) == 2, (
        "it needs no grades"
    )


def test_a_gate_that_saw_a_part_of_valid_says_so(chain, monkeypatch):
    monkeypatch.setattr(_gate, "MAX_ROWS", 100)
    monkeypatch.setattr(_exit_choice, "CALL_TREES", 0.0)
    for kind in ("truncate", "prune_leaves", "prune_levels", "prune_features", "early_exit"):
        step = chain(scenario_of(compress=[{"kind": kind, "max_drop": 0.5}]))[1]
        assert any("query groups of valid, evenly spaced" in note for note in step.row.notes), kind
    by_size = chain(scenario_of(compress=[{"kind": "truncate", "keep": 0.5}]))[1]
    assert by_size.row.notes == ()


def test_a_note_is_told_by_the_step_that_left_it_alone(chain):
    steps = chain(scenario_of(compress=[{"kind": "prune_features", "keep": 0.5}, "quantise"]))
    assert [bool(step.row.notes) for step in steps] == [False, True, False]
    assert "read_features" in steps[2].bundle.manifest.meta, "facts are carried along"


def test_a_chain_that_is_killed_goes_on_from_its_finished_steps(splits, tmp_path):
    """Killed outright by its own progress line as the last step begins; what was half written is never taken up."""
    scenario = scenario_of(compress=[{"kind": "truncate", "keep": 0.5}, {"kind": "prune_leaves", "keep": 0.5}])
    builder = Builder(Cache(tmp_path), splits, NdcgSpec(), 1, _DiesAt("prune_leaves: "))
    child = multiprocessing.get_context("spawn").Process(target=builder.chain, args=(scenario,))
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL
    steps = Builder(Cache(tmp_path), splits, NdcgSpec(), 1, lambda _: None).chain(scenario)
    assert [step.row.cached for step in steps] == [True, True, False]


class _DiesAt:
    def __init__(self, line: str) -> None:
        self.line = line

    def __call__(self, event) -> None:
        if str(event).startswith(self.line):
            os.kill(os.getpid(), signal.SIGKILL)


def test_what_is_built_once_is_reused_and_what_changed_is_not(chain):
    first = chain(scenario_of(compress=[{"kind": "truncate", "keep_trees": 6}]))
    again = chain(scenario_of(compress=[{"kind": "truncate", "keep_trees": 6}]))
    other = chain(scenario_of(compress=[{"kind": "truncate", "keep_trees": 5}]))
    fresh = chain(scenario_of(), enabled=False)
    assert [step.row.cached for step in first] == [False, False]
    assert [step.row.cached for step in again] == [True, True]
    assert [step.row.cached for step in other] == [True, False]
    assert [step.row.cached for step in fresh] == [False]
    assert again[1].bundle.manifest.digest == first[1].bundle.manifest.digest != other[1].bundle.manifest.digest


def test_a_changed_model_file_is_another_teacher(chain, teacher, tmp_path):
    mine = tmp_path / "mine.txt"
    whole = teacher("lightgbm").file("model.txt")
    mine.write_bytes(whole.read_bytes())
    scenario = scenario_of(ranker={"kind": "file", "path": str(mine)})
    (first,) = chain(scenario)
    cut = chain(scenario_of(compress=[{"kind": "truncate", "keep_trees": 3}]))[1]
    mine.write_bytes(cut.bundle.file("model.txt").read_bytes())
    (second,) = chain(scenario)
    assert second.bundle.manifest.size.n_trees == 3 != first.bundle.manifest.size.n_trees


def test_a_method_that_refuses_names_the_step(chain):
    with pytest.raises(ModelError) as caught:
        chain(
            scenario_of(
                compress=[{"kind": "distil_mlp", "hidden": [4], "epochs": 1}, {"kind": "truncate", "keep": 0.5}]
            )
        )
    assert caught.value.where == "compress.1: truncate"


def test_the_code_digest_sees_every_room():
    package = Path(code_digest.__code__.co_filename).parents[1]
    assert code_digest(["trees"]) != code_digest(["mlp"])
    assert (package / "trees").is_dir()


def test_the_code_digest_sees_the_kernels_of_engines(tmp_path, monkeypatch):
    (tmp_path / "pipeline").mkdir()
    (tmp_path / "engines").mkdir()
    monkeypatch.setattr("harness.pipeline.build.__file__", str(tmp_path / "pipeline" / "build.py"))
    seen = set()
    for name in ("one.py", "kernel.c", "kernel.h", "kernel.c", "notes.pyc"):
        (tmp_path / "engines" / name).write_text(f"{len(seen)}")
        seen.add(code_digest(["engines"]))
    assert len(seen) == 4, "a new kernel counts, also a changed one, but nothing that Python keeps"
