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
from harness.cache import Cache, key_of, package_versions
from harness.errors import ModelError
from harness.ndcg import quality_with_tests
from harness.pipeline.method_rules import gate_missed, methods_without_data, needs_data
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
_LIBRARIES = ("lightgbm", "xgboost", "torch", "treelite", "numpy")


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

    def chain(self, scenario: Scenario) -> list[Step]:
        """The teacher and every step of the recipe, in order; raises ModelError where a method refuses its input."""
        started = time.perf_counter()
        self.progress(f"ranker {scenario.ranker.kind}")
        teacher, cached = self.train(scenario.ranker)
        base, margin = self._per_group(teacher), scenario.sla.ndcg_drop
        steps = [Step(teacher, self._row(scenario.ranker, teacher, self._drop(base, base, margin), started, cached))]
        for index, choice in enumerate(scenario.compress):
            steps.append(self._step(index, choice, steps[-1].bundle, teacher, base, margin))
        return steps

    def _step(
        self, index: int, choice: Choice, before: Bundle, teacher: Bundle, base: Floats, margin: float | None
    ) -> Step:
        started = time.perf_counter()
        self.progress(f"compress.{index} {choice.kind}")
        bundle, cached = self._compress(choice, before, teacher, where=f"compress.{index}: {choice.kind}")
        own = self._per_group(bundle)
        row = self._row(choice, bundle, self._drop(base, own, margin), started, cached)
        row = row.model_copy(update={"gate_missed": gate_missed(choice, before.manifest, bundle.manifest)})
        spec = registry.method(choice.kind).control(options("methods", choice), before.manifest, bundle.manifest)
        if spec is None or not self.splits.test.graded:
            return Step(bundle, row)
        started = time.perf_counter()
        control = Choice.model_validate(spec)
        self.progress(f"compress.{index} {choice.kind}: its control, {control.kind}")
        rival, cached = self._compress(control, before, teacher, where=f"control of compress.{index}: {control.kind}")
        others = self._per_group(rival)
        rival_row = self._row(control, rival, self._drop(base, others, margin), started, cached)
        compared = {"control": rival_row, "against_control": quality_with_tests(others, own)}
        return Step(bundle, row.model_copy(update=compared), rival)

    def train(self, choice: Choice) -> tuple[Bundle, bool]:
        """The teacher of a `ranker` section, and whether it was in the cache."""
        chosen = options("rankers", choice)
        spec = {"ranker": choice.kind, "options": chosen.model_dump(mode="json"), "data": self.splits.digest}

        def train(out: Path) -> Draft:
            work = Training(self.splits, out, self.n_threads, self.ndcg, self.progress)
            return registry.ranker(choice.kind).train(chosen, work)

        return self._obtain(spec | _identity_of_file(spec["options"]), train, parents=())

    def _compress(self, choice: Choice, before: Bundle, teacher: Bundle, *, where: str) -> tuple[Bundle, bool]:
        before = _without_notes(before)
        method, chosen = registry.method(choice.kind), options("methods", choice)
        reason = method.refuses(chosen, before.manifest)
        if reason:
            raise ModelError(reason, where=where, remedy="change the order of the recipe or the method")
        if not self.splits.test.graded and (lacks := needs_data(choice, before.manifest)):
            remedy = f"add a data block; without one there are {' and '.join(methods_without_data())}"
            raise ModelError(f"needs data: {lacks}", where=where, remedy=remedy)
        spec = {
            "method": choice.kind,
            "options": chosen.model_dump(mode="json"),
            "before": before.manifest.digest,
            "meta": before.manifest.meta,
            "teacher": teacher.manifest.digest,
            "data": self.splits.digest,
        }

        def apply(out: Path) -> Draft:
            work = Compression(before, teacher, self.splits, out, self.n_threads, self.ndcg, self.progress)
            return method.apply(chosen, work)

        return self._obtain(spec, apply, parents=(before.manifest.digest,))

    def _obtain(self, spec: dict[str, Any], make: Any, parents: tuple[str, ...]) -> tuple[Bundle, bool]:
        whole = spec | {
            "ndcg": self.ndcg.model_dump(),
            "versions": package_versions(*_LIBRARIES),
            "code": self._code,
        }
        return self.cache.obtain(
            "bundles",
            key_of(whole),
            build=lambda out: seal(out, make(out), origin=whole, parents=parents),
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
        return quality_with_tests(base, own, margin) if self.splits.test.graded else NOT_MEASURED

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


def _without_notes(bundle: Bundle) -> Bundle:
    """What the next method gets: facts that it may carry along, without the notes, which its maker left."""
    facts = {key: value for key, value in bundle.manifest.meta.items() if key != "notes"}
    return replace(bundle, manifest=bundle.manifest.model_copy(update={"meta": facts}))


def _identity_of_file(chosen: Any) -> dict[str, Any]:
    """Content digest of the user's own model file, so that a changed file is never mistaken for the old one."""
    path = Path(str(chosen.get("path", "")))
    if not chosen.get("path") or not path.is_file():
        return {}
    with path.open("rb") as file:
        return {"file_sha256": hashlib.file_digest(file, "sha256").hexdigest()}
