"""A scenario of a model file and nothing else."""

import math

import numpy as np
import pytest

from harness.cache import Cache
from harness.errors import ModelError
from harness.pipeline.build import Builder
from harness.pipeline.data import describe_data, splits_of
from harness.records import NdcgSpec
from harness.scenario import Scenario, from_resolved, resolved


def scenario_of(path, *steps):
    ranker = {"kind": "file", "path": str(path)}
    return Scenario.model_validate({"name": "s", "ranker": ranker, "compress": list(steps), "sla": {"p99_ms": 1}})


@pytest.fixture
def model_file(teacher):
    return teacher("lightgbm").file("model.txt")


@pytest.fixture(scope="module")
def build(tmp_path_factory, teacher):
    """Chains on the same made-up candidates, for reading a file takes a child process each time."""
    cache = Cache(tmp_path_factory.mktemp("cache"))
    splits = splits_of(scenario_of(teacher("lightgbm").file("model.txt")), cache, lambda _: None)

    def chain(scenario):
        return splits, Builder(cache, splits, NdcgSpec(), 1, lambda _: None).chain(scenario)

    return chain


def test_methods_that_need_no_data_work_and_quality_is_not_measured(build, model_file):
    scenario = scenario_of(model_file, {"kind": "truncate", "keep": 0.5}, {"kind": "quantise", "leaves": "fp16"})
    splits, steps = build(scenario)
    assert [step.bundle.manifest.size.n_trees for step in steps] == [20, 10, 10]
    assert not any(step.row.quality.measured for step in steps)
    assert all(math.isnan(step.row.quality.drop) for step in steps)
    assert np.isnan(splits.test.features).any()
    assert "made up" in describe_data(splits)["candidates"]


@pytest.mark.parametrize(
    ("step", "why"),
    [
        ({"kind": "truncate", "max_drop": 0.01}, "max_drop is met on the valid split"),
        ({"kind": "distil_gbdt"}, "it looks at candidates, and most methods at their grades"),
    ],
)
def test_other_steps_are_refused_by_name(build, model_file, step, why):
    with pytest.raises(ModelError) as caught:
        build(scenario_of(model_file, step))
    assert caught.value.where == f"compress.0: {step['kind']}"
    assert caught.value.what == f"needs data: {why}"
    assert "quantise and truncate" in caught.value.remedy


def test_the_saved_scenario_has_no_data_either(model_file):
    scenario = scenario_of(model_file)
    assert not scenario.has_data
    assert "data" not in resolved(scenario)
    assert not from_resolved(resolved(scenario)).has_data
    with_data = scenario_of(model_file).model_copy(update={"data": scenario.data})
    assert with_data.has_data
    assert Scenario.model_validate({"name": "s", "sla": {"p99_ms": 1}}).has_data
