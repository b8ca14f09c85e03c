"""Build: the teacher, then one bundle per step of the recipe, each with its quality, its size and its control."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from harness import registry
from harness.bundle import Bundle, Draft, open_bundle, seal
from harness.cache import Cache, key_of
from harness.errors import ModelError
from harness.events import stage
from harness.ndcg import check_contrast, quality_with_tests
from harness.pipeline.bundle_specs import BUNDLES, BundleSpecs, facts
from harness.pipeline.method_rules import check_order, gate_missed, methods_without_data, needs_data
from harness.protocols import Compression, Progress, Training
from harness.ranking_data import Floats, Splits
from harness.records import NOT_MEASURED, LedgerRow, NdcgSpec, QualityDrop
from harness.scenario import Choice, Scenario, options
from harness.scoring import quality as ndcg_of

_CODE = (
    *("rankers", "compress", "trees", "mlp"),
    *("scoring.py", "opening.py", "early_exit.py", "bundle.py", "ndcg.py", "paired.py"),
)
_SOURCES = (".py", ".c", ".h")


@dataclass(frozen=True)
class Step:
    """One bundle of the chain, its row in the ledger, and the bundle of its control where it has one."""

    bundle: Bundle
    row: LedgerRow
    control: Bundle | None = None


@dataclass(frozen=True)
class Builder:
    """Builds and reuses bundles; everything a bundle depends on is in its cache key."""

    cache: Cache
    splits: Splits
    ndcg: NdcgSpec
    n_threads: int
    progress: Progress

    @cached_property
    def _code(self) -> str:
        """The source digest, read once for all the keys of a chain."""
        return code_digest()

    @cached_property
    def _seen(self) -> Splits:
        """What rankers and methods may look at: the splits without a row of test."""
        nothing = self.splits.test.take_groups(np.empty(0, dtype=np.int64))
        return Splits(self.splits.train, self.splits.valid, nothing)

    @property
    def _specs(self) -> BundleSpecs:
        return BundleSpecs(self.splits.digest, self.ndcg, self._code)

    def chain(self, scenario: Scenario) -> list[Step]:
        """The teacher and every step of the recipe, in order; raises ModelError where a method refuses its input."""
        check_order(scenario.compress)
        if scenario.sla.ndcg_drop is not None and self.splits.test.graded:
            check_contrast(self.splits.test)
        started, margin = time.perf_counter(), scenario.sla.ndcg_drop
        with stage(self.progress, ranker_stage(scenario)) as outcome:
            teacher, outcome.cached = self.train(scenario.ranker)
            base = self._per_group(teacher)
            row = self._row(scenario.ranker, teacher, self._drop(base, base, margin), started, outcome.cached)
        steps = [Step(teacher, row)]
        for index, choice in enumerate(scenario.compress):
            with stage(self.progress, step_stage(index, choice)) as outcome:
                steps.append(self._step(index, choice, steps[-1].bundle, teacher, base, margin))
                rows = (steps[-1].row, steps[-1].row.control)
                outcome.cached = all(row.cached for row in rows if row is not None)
        return steps

    def _step(
        self, index: int, choice: Choice, before: Bundle, teacher: Bundle, base: Floats, margin: float | None
    ) -> Step:
        started = time.perf_counter()
        bundle, cached = self._compress(choice, before, teacher, where=f"compress.{index}: {choice.kind}")
        own = self._per_group(bundle)
        row = self._row(choice, bundle, self._drop(base, own, margin), started, cached)
        row = row.model_copy(update={"gate_missed": gate_missed(choice, before.manifest, bundle.manifest)})
        spec = registry.method(choice.kind).control(options("methods", choice), before.manifest, bundle.manifest)
        if spec is None or not self.splits.test.graded:
            return Step(bundle, row)
        started = time.perf_counter()
        control = Choice.model_validate(spec)
        self.progress(f"its control, {control.kind}")
        rival, cached = self._compress(control, before, teacher, where=f"control of compress.{index}: {control.kind}")
        others = self._per_group(rival)
        rival_row = self._row(control, rival, self._drop(base, others, margin), started, cached)
        compared = {"control": rival_row, "against_control": quality_with_tests(others, own)}
        return Step(bundle, row.model_copy(update=compared), rival)

    def train(self, choice: Choice) -> tuple[Bundle, bool]:
        """The teacher of a `ranker` section, and whether it was in the cache."""
        chosen = options("rankers", choice)

        def train(out: Path) -> Draft:
            work = Training(self._seen, out, self.n_threads, self.ndcg, self.progress)
            return registry.ranker(choice.kind).train(chosen, work)

        return self._obtain(self._specs.teacher(choice), train, parents=())

    def _compress(self, choice: Choice, before: Bundle, teacher: Bundle, *, where: str) -> tuple[Bundle, bool]:
        before = replace(before, manifest=before.manifest.model_copy(update={"meta": facts(before.manifest)}))
        method, chosen = registry.method(choice.kind), options("methods", choice)
        reason = method.refuses(chosen, before.manifest)
        if reason:
            raise ModelError(reason, where=where, remedy="change the order of the recipe or the method")
        if not self.splits.test.graded and (lacks := needs_data(choice, before.manifest)):
            remedy = f"add a data block; without one there are {' and '.join(methods_without_data())}"
            raise ModelError(f"needs data: {lacks}", where=where, remedy=remedy)

        def apply(out: Path) -> Draft:
            work = Compression(before, teacher, self._seen, out, self.n_threads, self.ndcg, self.progress)
            return method.apply(chosen, work)

        spec = self._specs.step(choice, before.manifest, teacher.manifest)
        return self._obtain(spec, apply, parents=(before.manifest.digest,))

    def _obtain(self, spec: dict[str, Any], make: Any, parents: tuple[str, ...]) -> tuple[Bundle, bool]:
        return self.cache.obtain(
            BUNDLES,
            key_of(spec),
            build=lambda out: seal(out, make(out), origin=spec, parents=parents),
            reopen=open_bundle,
        )

    def _per_group(self, bundle: Bundle) -> Floats:
        """NDCG of each test query group, kept beside the bundles; NaN without grades."""
        if not self.splits.test.graded:
            return np.full(self.splits.test.n_groups, np.nan)
        spec = {
            "bundle": bundle.manifest.digest,
            "data": self.splits.test.digest,
            "ndcg": self.ndcg.model_dump(),
            "code": self._code,
        }

        def measure(out: Path) -> None:
            np.save(out / "ndcg.npy", ndcg_of(bundle, self.splits.test, self.ndcg))

        def read(path: Path) -> Floats:
            try:
                return np.asarray(np.load(path / "ndcg.npy", allow_pickle=False), dtype=np.float64)
            except (OSError, ValueError) as error:
                raise ModelError(f"unreadable quality figures: {error}", where=str(path)) from error

        values, _ = self.cache.obtain("quality", key_of(spec), build=measure, reopen=read)
        return values

    def _drop(self, base: Floats, own: Floats, margin: float | None) -> QualityDrop:
        test = self.splits.test
        return quality_with_tests(base, own, margin, test.group_sizes) if test.graded else NOT_MEASURED

    def _row(self, choice: Choice, bundle: Bundle, quality: QualityDrop, started: float, cached: bool) -> LedgerRow:
        return LedgerRow(
            step=choice.kind,
            params=choice.options,
            digest=bundle.manifest.digest,
            quality=quality,
            size=bundle.manifest.size,
            build_s=round(time.perf_counter() - started, 3),
            cached=cached,
            notes=tuple(str(note) for note in bundle.manifest.meta.get("notes", ())),
        )


def code_digest(rooms: Sequence[str] = _CODE) -> str:
    """SHA-256 over the source, C included, of what can change a result, so that new code never meets old results."""
    package = Path(__file__).resolve().parents[1]
    sha = hashlib.sha256()
    for room in rooms:
        base = package / room
        for file in sorted(base.rglob("*.*")) if base.is_dir() else [base]:
            if file.suffix in _SOURCES:
                sha.update(file.relative_to(package).as_posix().encode() + b"\0" + file.read_bytes())
    return sha.hexdigest()


def ranker_stage(scenario: Scenario) -> str:
    """Name of the stage that gets the teacher."""
    return f"ranker {scenario.ranker.kind}"


def step_stage(index: int, choice: Choice) -> str:
    """Name of the stage of one step of the recipe."""
    return f"compress.{index} {choice.kind}"
