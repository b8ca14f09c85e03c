"""The load stage: traffic until the run is decided or its time is over, and the audit.

Where the scenario asks for it, once more at `min_qps`, and at the rates of a capacity search.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack

from harness.answers import Answers
from harness.events import stage
from harness.judge.looks import looks
from harness.judge.steadiness import TOO_FEW
from harness.judge.verdict import judge
from harness.load.joined import Part, joined
from harness.load.load_plan import ANSWERS
from harness.pipeline.min_qps import traffic_at_min_qps
from harness.pipeline.rate_tests import search_capacities
from harness.pipeline.session import Session
from harness.pipeline.state import RunState
from harness.records import SUBJECTS, VerdictStatus
from harness.samples import Samples


def load_and_audit(state: RunState, opening: AbstractContextManager[Session]) -> None:
    """Open the session and load its members; samples and what is known of them are saved after every part."""
    scenario, path = state.scenario, state.run_dir.path
    with state.timed("load"), ExitStack() as stack:
        with stage(state.progress, "servers"):
            session = stack.enter_context(opening)
        stack.enter_context(stage(state.progress, "load"))
        samples, answers = _until_decided(state, session)
        at_min_qps = traffic_at_min_qps(scenario)
        if state.load_complete and at_min_qps is not None:
            state.progress(f"once more, at min_qps: {at_min_qps.offered_qps:g} requests/s")
            subject = next(member.name for member in session.members if member.name in SUBJECTS)
            _, info = session.only(subject).load(at_min_qps, path / "min-qps")
            state.learn(min_qps_load=info)
        if state.load_complete and scenario.capacity is not None:
            state.progress(f"searching the capacity of each side for {scenario.capacity.budget_s:g} s")
            search_capacities(state, session, scenario.capacity.budget_s)
    with state.stage("audit"):
        state.progress("auditing the answers")
        state.learn(audits=session.audits(samples, answers, scenario.traffic, scenario.sla.ndcg))


def _until_decided(state: RunState, session: Session) -> tuple[Samples, Answers]:
    """The window, and where `extend_to_s` lets the run go on, further parts of it while the verdict is open."""
    traffic, path = state.scenario.traffic, state.run_dir.path
    parts: list[Part] = []
    judged_s = 0.0
    for number, look in enumerate(looks(traffic)):
        out = path / ("load" if number == 0 else f"load-{number + 1}")
        if number:
            state.progress(f"not decided after {judged_s:g} s: going on to {look.window_s:g} s")
        part = traffic.model_copy(update={"window_s": look.window_s - judged_s, "extend_to_s": None})
        samples, info = session.load(part, out, first_round=number * traffic.rounds)
        parts.append((samples, info, Answers.load(out / ANSWERS)))
        judged_s = look.window_s
        samples, info, answers = joined(parts)
        samples.save(path / "samples.npz")
        state.learn(load=info, targets=session.infos())
        if not info.complete or not _undecided(state, samples):
            break
    return samples, answers


def _undecided(state: RunState, samples: Samples) -> bool:
    """Whether more samples could still decide what the run asks, `min_qps` aside."""
    sla = state.scenario.sla.model_copy(update={"min_qps": None})
    if not sla.objectives:
        return False
    measured = state.measured.model_copy(update={"complete": True})
    verdict = judge(state.scenario.model_copy(update={"sla": sla}), measured, samples).verdict
    hard = {finding.name for finding in verdict.findings if finding.hard}
    return verdict.status is VerdictStatus.INCONCLUSIVE or (
        verdict.status is VerdictStatus.INVALID and hard == {TOO_FEW}
    )
