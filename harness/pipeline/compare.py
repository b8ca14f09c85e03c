"""Comparison: two sides that are up at once get the same requests in interleaved rounds of one load test."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from harness.errors import UsageError
from harness.judge.compare import FEWEST_ROUNDS, A, B, judge_comparison
from harness.pipeline.auto_engine import choose
from harness.pipeline.compared import Side, check_width, side_of, traffic_scenario
from harness.pipeline.data import describe_data, splits_of
from harness.pipeline.external import reached
from harness.pipeline.members import Served
from harness.pipeline.run_dir import RunDir
from harness.pipeline.session import serving
from harness.pipeline.state import RunState, Settings
from harness.pipeline.studies import keep_study, publish_study
from harness.protocols import Progress
from harness.ranking_data import RankingData
from harness.scenario import ExternalTarget, Scenario
from harness.studies import Comparison

WARM_UP_S = 0.5


@dataclass(frozen=True)
class Question:
    """What to compare, under whose traffic, for how long, and how large a difference matters."""

    a: str
    b: str
    scenario: Path | None
    window_s: float
    rounds: int
    min_effect: float


def compare(question: Question, settings: Settings, progress: Progress) -> tuple[RunDir, Comparison]:
    """Measure both sides and say which is faster. What was measured before an error is published; it is raised on.

    The traffic is the scenario's, but for its window and rounds, and a warm-up of half a second at most: rounds are
    many, and both sides stay up between them.
    """
    if question.rounds < FEWEST_ROUNDS:
        raise UsageError(f"needs {FEWEST_ROUNDS} rounds or more", where="--rounds", remedy="10 or more are advised")
    asked = traffic_scenario(question.scenario, [question.a, question.b])
    state = RunState.begin(_with_rounds(asked, question), settings, progress, "compare")
    sides = {A: question.a, B: question.b}

    def judged() -> Comparison:
        samples = state.run_dir.samples()
        return judge_comparison(state.scenario, state.measured, samples, sides, question.min_effect)

    try:
        _measure(state, sides)
    except BaseException as error:
        keep_study(state, error, judged)
        raise
    return state.run_dir, publish_study(state.run_dir, judged())


def judge_comparison_again(run_dir: RunDir, known: Comparison) -> Comparison:
    """Judge the kept samples anew; measures nothing."""
    return judge_comparison(
        run_dir.scenario(), run_dir.measurements(), run_dir.samples(), known.sides, known.min_effect
    )


def _with_rounds(scenario: Scenario, question: Question) -> Scenario:
    rounds = {
        "window_s": question.window_s,
        "rounds": question.rounds,
        "warm_up_s": min(WARM_UP_S, scenario.traffic.warm_up_s),
    }
    return scenario.model_copy(update={"traffic": scenario.traffic.model_copy(update=rounds)})


def _settled(state: RunState, side: Side, data: RankingData) -> Side:
    """A side whose engine is named, where it is `auto`; the finding says which side it is about."""
    if isinstance(side, ExternalTarget):
        return side
    cpus, n_candidates = state.placement.server[-1:], state.scenario.traffic.n_candidates
    engine, why = choose(side.engine, side.bundle, data, n_candidates, state.compiled, cpus, state.progress)
    if why is not None:
        why = why.model_copy(update={"target": side.target, "message": f"{side.target}: {why.message}"})
        state.learn(findings=(*state.measured.findings, why))
    return replace(side, engine=engine)


def _measure(state: RunState, named: dict[str, str]) -> None:
    scenario, cache, progress = state.scenario, state.settings.cache, state.progress
    with state.timed("build"):
        sides = [side_of(letter, text, cache, progress) for letter, text in named.items()]
        splits = splits_of(scenario, cache, progress)
        for side in sides:
            check_width(side, splits.test)
        state.learn(data=describe_data(splits))
        sides = [_settled(state, side, splits.test) for side in sides]
    served = [side for side in sides if isinstance(side, Served)]
    path, data, placement = state.run_dir.path, splits.test, state.placement
    with state.stage("load"), ExitStack() as stack:
        session = stack.enter_context(serving(served, scenario, data, path, placement, state.compiled, progress))
        elsewhere = [
            stack.enter_context(reached(letter, side, scenario, data, path, placement, progress))
            for letter, side in zip(named, sides, strict=True)
            if isinstance(side, ExternalTarget)
        ]
        session = session.beside(elsewhere)
        samples, info = session.load(scenario.traffic, path / "load")
        samples.save(path / "samples.npz")
        state.learn(load=info, targets=session.infos())
    state.learn(complete=info.complete, stage_s=state.stage_s)
