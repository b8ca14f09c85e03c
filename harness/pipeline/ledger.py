"""The ledger's figures of time and memory: every bundle by its reference engine, the last by the scenario's own too."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import registry
from harness.bench.trial import memory_bytes
from harness.bundle import Bundle
from harness.cache import key_of, package_versions
from harness.errors import EngineError, ModelError
from harness.events import stage
from harness.ndcg import ndcg, quality_with_tests
from harness.opening import open_engine
from harness.pipeline.build import Step, code_digest
from harness.pipeline.engine_times import engine_times_us
from harness.pipeline.state import RunState
from harness.placement import available_cpus
from harness.protocols import Scorer
from harness.ranking_data import Splits
from harness.records import LedgerRow, QualityDrop
from harness.scenario import Choice, options
from harness.scoring import quality, reference_engine, scores_of

_LIBRARIES = ("lightgbm", "xgboost", "torch", "treelite", "tl2cgen", "onnxruntime", "numpy")
_CODE = ("engines", "bench", "trees", "mlp", "opening.py", "early_exit.py")


@dataclass(frozen=True)
class Opened:
    """A bundle and its engine, compiled where needed and loaded."""

    bundle: Bundle
    engine: Choice
    scorer: Scorer


def open_all(state: RunState, steps: Sequence[Step]) -> list[Opened]:
    """All bundles and controls in their reference engines, in order; the served one last, where its engine is another.

    Raises EngineError.
    """
    served, last = state.scenario.engine, steps[-1].bundle
    bundles = [bundle for step in steps for bundle in (step.bundle, step.control) if bundle is not None]
    opened = [_opened(bundle, Choice(kind=reference_engine(bundle.manifest)), state) for bundle in bundles]
    if served != Choice(kind=reference_engine(last.manifest)):
        state.progress(f"engine {served.kind}")
        opened.append(_opened(last, served, state))
    return opened


def timed(state: RunState, steps: Sequence[Step], opened: Sequence[Opened], splits: Splits) -> tuple[LedgerRow, ...]:
    """The rows of all steps with engine times, interleaved, and resident memory, each in a process of its own."""
    n_candidates, cpus = state.scenario.traffic.n_candidates, state.placement.server
    with stage(state.progress, "engine times"):
        times = engine_times_us([one.scorer for one in opened], splits.test, n_candidates, cpus)
    with stage(state.progress, "memory") as outcome:
        memories, outcome.cached = _memories(state, opened)
    figures = iter(
        [
            {"engine": one.engine.kind, "engine_us": median, "engine_us_p99": p99, "memory_bytes": memory}
            for one, (median, p99), memory in zip(opened, times, memories, strict=True)
        ]
    )
    rows = [_with(step.row, figures) for step in steps]
    for own in figures:  # the served one, where its engine is another
        rows.append(_served(state, steps, opened[-1].scorer, splits).model_copy(update=own))
    return tuple(rows)


def _with(row: LedgerRow, figures: Iterator[dict[str, Any]]) -> LedgerRow:
    row = row.model_copy(update=next(figures))
    return (
        row if row.control is None else row.model_copy(update={"control": row.control.model_copy(update=next(figures))})
    )


def _served(state: RunState, steps: Sequence[Step], scorer: Scorer, splits: Splits) -> LedgerRow:
    """The last step's row again, as the scenario's engine serves it; worth what a lossy engine's own scores are."""
    engine = state.scenario.engine
    lost: dict[str, QualityDrop] = {}
    if "lossy" in scorer.info and splits.test.graded:
        sla, test = state.scenario.sla, splits.test
        own = ndcg(scores_of(scorer, test.features, test.group_sizes), test, sla.ndcg)
        base = quality(steps[0].bundle, test, sla.ndcg)
        lost = {"quality": quality_with_tests(base, own, sla.ndcg_drop, test.group_sizes)}
    served = {"step": f"served by {engine.kind}", "params": engine.options, "control": None, "against_control": None}
    return steps[-1].row.model_copy(update=served | lost | {"build_s": 0.0, "notes": (), "gate_missed": ""})


def _memories(state: RunState, opened: Sequence[Opened]) -> tuple[list[float], bool]:
    """Bytes of each, as many at a time as there are cores: memory does not mind a neighbour. Whether all were known."""
    spec = {"versions": package_versions(*_LIBRARIES), "code": code_digest(_CODE)}
    keys = [
        key_of(spec | {"bundle": one.bundle.manifest.digest, "engine": one.engine.model_dump(mode="json")})
        for one in opened
    ]
    distinct = dict(zip(keys, opened, strict=True))
    with ThreadPoolExecutor(len(available_cpus())) as pool:
        found = pool.map(lambda key: _memory(state, distinct[key], key), distinct)
        by_key = dict(zip(distinct, found, strict=True))
    return [by_key[key][0] for key in keys], all(cached for _, cached in by_key.values())


def _memory(state: RunState, one: Opened, key: str) -> tuple[float, bool]:
    """Bytes, kept beside the bundles, and whether they were; NaN, and why, where it could not be opened once more."""

    def measure(out: Path) -> None:
        n_bytes = memory_bytes(one.bundle, one.engine, state.compiled)
        (out / "memory.json").write_text(json.dumps(n_bytes), encoding="ascii")

    def read(path: Path) -> float:
        try:
            return float(json.loads((path / "memory.json").read_bytes()))
        except (OSError, ValueError, TypeError) as error:
            raise ModelError(f"unreadable memory figure: {error}", where=str(path)) from error

    try:
        return state.settings.cache.obtain("memory", key, build=measure, reopen=read)
    except EngineError as error:
        state.progress(f"resident memory of {one.engine.kind} is not known: {error}")
        return float("nan"), False


def _opened(bundle: Bundle, engine: Choice, state: RunState) -> Opened:
    plugin, chosen = registry.engine(engine.kind), options("engines", engine)
    reason = plugin.refuses(chosen, bundle.manifest)
    if reason:
        raise EngineError(
            reason, where=f"engine: {engine.kind}", remedy="choose another engine (`harness list engines`)"
        )
    return Opened(bundle, engine, open_engine(plugin, chosen, bundle, state.compiled))
