"""The ledger's figures of time and memory: every bundle by its reference engine, the last by the scenario's own too."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from harness import registry
from harness.bench.trial import memory_bytes
from harness.bundle import Bundle
from harness.cache import key_of, package_versions
from harness.errors import EngineError, ModelError
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
_Entry = tuple[Bundle, Choice]


def timed(state: RunState, steps: Sequence[Step], splits: Splits) -> tuple[LedgerRow, ...]:
    """The rows of all steps with engine times, interleaved, and resident memory, each in a process of its own."""
    scenario, last = state.scenario, steps[-1].bundle
    bundles = [bundle for step in steps for bundle in (step.bundle, step.control) if bundle is not None]
    entries = [(bundle, Choice(kind=reference_engine(bundle.manifest))) for bundle in bundles]
    own = scenario.engine != Choice(kind=reference_engine(last.manifest))
    if own:
        state.progress(f"engine {scenario.engine.kind}")
        entries.append((last, scenario.engine))
    scorers = [_open(bundle, engine, state) for bundle, engine in entries]
    state.progress("engine times, interleaved")
    times = engine_times_us(scorers, splits.test, scenario.traffic.n_candidates, state.placement.server)
    figures = iter(
        [
            {"engine": entry[1].kind, "engine_us": median, "engine_us_p99": p99, "memory_bytes": memory}
            for entry, (median, p99), memory in zip(entries, times, _memories(state, entries), strict=True)
        ]
    )
    rows = [_with(step.row, figures) for step in steps]
    if own:
        rows.append(_served(state, steps, scorers[-1], splits).model_copy(update=next(figures)))
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


def _memories(state: RunState, entries: Sequence[_Entry]) -> list[float]:
    """Bytes of each entry, as many at a time as there are cores: memory does not mind a neighbour."""
    state.progress("resident memory, each form in a process of its own")
    spec = {"versions": package_versions(*_LIBRARIES), "code": code_digest(_CODE)}
    keys = [
        key_of(spec | {"bundle": bundle.manifest.digest, "engine": engine.model_dump(mode="json")})
        for bundle, engine in entries
    ]
    distinct = dict(zip(keys, entries, strict=True))
    with ThreadPoolExecutor(len(available_cpus())) as pool:
        found = pool.map(lambda key: _memory(state, *distinct[key], key), distinct)
        by_key = dict(zip(distinct, found, strict=True))
    return [by_key[key] for key in keys]


def _memory(state: RunState, bundle: Bundle, engine: Choice, key: str) -> float:
    """Bytes, kept beside the bundles; NaN, and why, where the engine could not be opened a second time."""

    def measure(out: Path) -> None:
        (out / "memory.json").write_text(json.dumps(memory_bytes(bundle, engine, state.compiled)), encoding="ascii")

    def read(path: Path) -> float:
        try:
            return float(json.loads((path / "memory.json").read_bytes()))
        except (OSError, ValueError, TypeError) as error:
            raise ModelError(f"unreadable memory figure: {error}", where=str(path)) from error

    try:
        return state.settings.cache.obtain("memory", key, build=measure, reopen=read)[0]
    except EngineError as error:
        state.progress(f"resident memory of {engine.kind} is not known: {error}")
        return float("nan")


def _open(bundle: Bundle, engine: Choice, state: RunState) -> Scorer:
    plugin, chosen = registry.engine(engine.kind), options("engines", engine)
    reason = plugin.refuses(chosen, bundle.manifest)
    if reason:
        raise EngineError(
            reason, where=f"engine: {engine.kind}", remedy="choose another engine (`harness list engines`)"
        )
    return open_engine(plugin, chosen, bundle, state.compiled)
