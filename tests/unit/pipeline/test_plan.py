"""Plans: what is in the cache, and how long it takes, told without building anything."""

import pytest

from harness.cache import Cache
from harness.events import StageDone
from harness.pipeline.plan import Timekeeper, plan_of, plans_of
from harness.pipeline.prepare import built
from harness.scenario import Scenario

FEED = {"kind": "synthetic_feed", "train_groups": 60, "valid_groups": 30, "test_groups": 30}
RECIPE = [{"kind": "prune_leaves", "keep": 0.5}, {"kind": "quantise"}]


def scenario_of(name="s", n_trees=6, **changes):
    ranker = {"kind": "lightgbm", "n_trees": n_trees, "n_leaves": 6, "min_rows_per_leaf": 5}
    whole = {"name": name, "data": FEED, "ranker": ranker, "compress": RECIPE, "sla": {"p99_ms": 25}, **changes}
    return Scenario.model_validate(whole)


@pytest.fixture
def cache(tmp_path):
    return Cache(tmp_path)


def cached(plan):
    return [stage.stage for stage in plan.stages if stage.cached]


def of(plan, name):
    return next(stage for stage in plan.stages if stage.stage == name)


def learn(scenario, cache, *events):
    keeper = Timekeeper(scenario, plan_of(scenario, cache), cache, lambda _: None)
    for event in events:
        keeper(event)


def test_what_is_in_the_cache_is_told_to_the_step(cache):
    scenario = scenario_of()
    assert cached(plan_of(scenario, cache)) == []
    told = []
    built(scenario, cache, told.append)
    ends = [event for event in told if isinstance(event, StageDone)]
    assert [(end.stage, end.cached) for end in ends] == [
        ("ranker lightgbm", False), ("compress.0 prune_leaves", False), ("compress.1 quantise", False),
    ]  # fmt: skip
    before = set(cache.root.rglob("*"))
    assert cached(plan_of(scenario, cache)) == [end.stage for end in ends]
    assert set(cache.root.rglob("*")) == before, "a plan builds nothing"
    assert cached(plan_of(scenario_of(compress=[*RECIPE[:1]]), cache)) == ["ranker lightgbm", "compress.0 prune_leaves"]
    assert cached(plan_of(scenario_of(compress=[{"kind": "prune_leaves", "keep": 0.4}]), cache)) == ["ranker lightgbm"]
    assert cached(plan_of(scenario_of(n_trees=5), cache)) == []
    assert cached(plan_of(scenario, Cache(cache.root, enabled=False))) == []
    built(scenario, cache, told.append)
    assert all(event.cached for event in told[-1:] if isinstance(event, StageDone))


def test_times_are_those_of_earlier_runs_and_unknown_before(cache):
    scenario = scenario_of()
    first = plan_of(scenario, cache)
    assert first.unknown == (
        "data", "ranker lightgbm", "compress.0 prune_leaves", "compress.1 quantise", "engines", "memory",
    )  # fmt: skip
    learn(scenario, cache, StageDone("data", 2.0), StageDone("ranker lightgbm", 30.0))
    plan = plan_of(scenario, cache)
    assert of(plan, "data").expected_s == 2.0
    assert of(plan, "ranker lightgbm").expected_s == 30.0
    assert of(plan_of(scenario_of(n_trees=60), cache), "ranker lightgbm").expected_s == pytest.approx(300.0)
    learn(scenario, cache, StageDone("ranker lightgbm", 0.3, cached=True))
    assert of(plan_of(scenario, cache), "ranker lightgbm").expected_s == 30.0, "built and reused are two things"


def test_what_is_done_once_is_quicker_the_second_time(cache):
    scenario = scenario_of()
    built(scenario, cache, lambda _: None)
    learn(scenario, cache, StageDone("engines", 40.0))
    assert of(plan_of(scenario, cache), "engines").cached
    learn(scenario, cache, StageDone("engines", 1.5))
    assert of(plan_of(scenario, cache), "engines").expected_s == 1.5


def test_traffic_is_known_from_the_scenario(cache):
    traffic = {"window_s": 10, "rounds": 2, "warm_up_s": 3, "offered_qps": 50}
    load = of(plan_of(scenario_of(traffic=traffic), cache), "load")
    assert load.expected_s == pytest.approx(2 * (10 + 2 * 3) + 4)
    assert load.followed
    assert load.note == "2 x (10 s window + 2 x 3 s warm-up)"
    more = scenario_of(
        traffic={**traffic, "teacher": False, "extend_to_s": 40},
        capacity={"budget_s": 60}, sla={"p99_ms": 25, "min_qps": 80},
    )  # fmt: skip
    load = of(plan_of(more, cache), "load")
    assert load.expected_s == pytest.approx((10 + 2 * 3) + (10 + 3) + 60 + 4)
    assert not load.followed
    assert "goes on up to 40 s per side while undecided" in load.note
    learn(more, cache, StageDone("load", 100.0))
    assert of(plan_of(more, cache), "load").expected_s == pytest.approx(100.0)


def test_what_a_load_stage_takes_beside_its_traffic_is_kept(cache):
    traffic = {"window_s": 10, "rounds": 2, "warm_up_s": 3, "offered_qps": 50}
    longer = scenario_of(traffic={**traffic, "teacher": False, "window_s": 20})
    learn(scenario_of(traffic={**traffic, "teacher": False}), cache, StageDone("load", 20.0))
    assert of(plan_of(longer, cache), "load").expected_s == pytest.approx(30.0), "what it takes beside its traffic"


def test_a_later_scenario_of_a_suite_finds_what_an_earlier_one_builds(cache):
    one, two = plans_of([scenario_of("one"), scenario_of("two", compress=RECIPE[:1])], cache)
    assert cached(one) == []
    assert cached(two) == ["ranker lightgbm", "compress.0 prune_leaves"]
    assert all(not cached(plan) for plan in plans_of([scenario_of(), scenario_of()], Cache(cache.root, enabled=False)))


def test_a_target_is_planned_without_building(cache):
    target = {"url": "http://127.0.0.1:1/rank", "adapter": "rank"}
    plan = plan_of(Scenario.model_validate({"name": "t", "target": target, "sla": {"p99_ms": 25}}), cache)
    assert [stage.stage for stage in plan.stages] == ["data", "servers", "load", "audit", "report"]
