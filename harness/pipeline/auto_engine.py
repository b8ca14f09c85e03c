"""`engine: auto`: the fastest exact engine for a bundle, by a short bench at the lists that it will get."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from harness.bench.calls import Effort
from harness.bench.contenders import AUTO, Contender, everyone, gather, not_exact
from harness.bench.rows import made_up_rows, rotated
from harness.bench.side_by_side import is_exact, times_at
from harness.bundle import Bundle
from harness.load.candidates import list_lengths
from harness.pipeline.state import RunState
from harness.protocols import Progress
from harness.ranking_data import RankingData
from harness.records import Finding
from harness.scenario import CandidateCount, Choice, options, resolved
from harness.scoring import reference_engine, reference_scorer
from harness.studies import EngineTimes

BUDGET_S = 3.0
_LENGTHS = 20
_FEWEST_CALLS, _MOST_CALLS = 9, 1000
_DEFAULT_LENGTH = 100


def settle(state: RunState, bundle: Bundle, data: RankingData) -> None:
    """Put the chosen engine in the place of `auto` in a run's scenario, also in the saved one; nothing for another."""
    scenario = state.scenario
    chosen, why = choose(
        scenario.engine,
        bundle,
        data,
        scenario.traffic.n_candidates,
        state.compiled,
        state.placement.server[-1:],
        state.progress,
    )
    if why is None:
        return
    state.scenario = scenario.model_copy(update={"engine": chosen})
    state.learn(scenario=resolved(state.scenario), findings=(*state.measured.findings, why))
    state.run_dir.save_scenario(state.scenario)


def choose(
    engine: Choice,
    bundle: Bundle,
    data: RankingData | None,
    n_candidates: CandidateCount,
    cache_dir: Path,
    cpus: Sequence[int],
    progress: Progress,
) -> tuple[Choice, Finding | None]:
    """What `auto` comes to, and why; any other engine as it is, without a reason.

    The fastest engine has the lowest mean, over the lengths, of the median time at each. Without data, rows are made
    up. The reference engine stands where nothing else is exact.
    """
    if engine.kind != AUTO:
        return engine, None
    limit_s = float(options("engines", engine).model_dump()["compile_limit_s"])
    lengths = lengths_of(n_candidates, data)
    longest = max(lengths)
    rows = made_up_rows(bundle, longest) if data is None else rotated(data.features, longest)
    field = gather(everyone(), bundle, cache_dir, limit_s, progress, not_exact)
    reference, trees = reference_scorer(bundle), bundle.manifest.size.n_trees
    effort = Effort(BUDGET_S / len(set(lengths)), _FEWEST_CALLS, _MOST_CALLS)
    progress(f"engine auto: timing {', '.join(contender.label for contender in field.contenders)}")
    measured = {n: times_at(field.contenders, reference, rows, n, trees, cpus, effort) for n in set(lengths)}
    ranked = sorted(
        (float(np.mean([measured[n][place].median_us for n in lengths])), place)
        for place, contender in enumerate(field.contenders)
        if is_exact(contender, [measured[n][place] for n in lengths])
    )
    left_out = [f"{one.engine} ({one.reason})" for one in field.skipped if one.over_limit]
    if not ranked:
        return Choice(kind=reference_engine(bundle.manifest)), _nothing_exact(bundle, left_out)
    means = [(us, field.contenders[place]) for us, place in ranked]
    return means[0][1].choice, _why(means, lengths, [own for n in lengths for own in measured[n]], left_out)


def lengths_of(n_candidates: CandidateCount, data: RankingData | None) -> list[int]:
    """Lengths of candidate lists that stand for the traffic's, each as often as it is likely."""
    rng = np.random.default_rng(0)
    if n_candidates is None:
        if data is None:
            return [_DEFAULT_LENGTH]
        spread = np.quantile(data.group_sizes, (np.arange(_LENGTHS) + 0.5) / _LENGTHS, method="nearest")
        return sorted(int(n) for n in spread)
    if isinstance(n_candidates, int):
        return [n_candidates]
    return sorted(int(n) for n in list_lengths(n_candidates, _LENGTHS, rng))


def _why(
    means: Sequence[tuple[float, Contender]], lengths: Sequence[int], times: Sequence[EngineTimes], left_out: list[str]
) -> Finding:
    (best_us, best), *others = means
    at = f"{lengths[0]:,}" if len(set(lengths)) == 1 else f"{min(lengths):,} to {max(lengths):,}"
    said = f"{best.label} is the fastest exact engine here: {best_us:.4g} us for {at} candidates"
    rivals = ", ".join(f"{other.label} {us:.4g} us" for us, other in others)
    worst = max(own.difference for own in times)
    return Finding(
        name="engine-chosen",
        message=f"{said}{f' ({rivals})' if rivals else ''}; scores differ by {worst:.2g} of the largest at most"
        + _not_considered(left_out),
        remedy=f"set engine: {best.label} to skip the choice; `harness bench` shows it at other lengths",
    )


def _nothing_exact(bundle: Bundle, left_out: list[str]) -> Finding:
    name = reference_engine(bundle.manifest)
    return Finding(
        name="engine-chosen",
        message=f"{name} defines the scores of this bundle, and no other engine reproduced them"
        + _not_considered(left_out),
        remedy=f"set engine: {name} to skip the choice",
    )


def _not_considered(left_out: list[str]) -> str:
    return f"; not considered: {'; '.join(left_out)}" if left_out else ""
