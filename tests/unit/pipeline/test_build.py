from pathlib import Path

import pytest

from harness.cache import Cache
from harness.errors import ModelError
from harness.pipeline.build import Builder, code_digest
from harness.records import NdcgSpec
from harness.scenario import Scenario


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
