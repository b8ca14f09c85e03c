"""What a plug-in is: a module (one file) with these names. Its file name is its key in a scenario.

Every plug-in has a docstring whose first line says what it is (`harness list` prints it) and a model `Options` of the
keys a scenario may set beside `kind`. Libraries other than numpy and pydantic are imported inside its functions, so
that listing and validating stay fast.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from harness.bundle import Bundle, Draft
from harness.ranking_data import Features, Splits
from harness.records import Manifest, NdcgSpec, Report
from harness.studies import Study

if TYPE_CHECKING:
    from harness.samples import Samples

Progress = Callable[[str], None]


class PluginOptions(BaseModel):
    """Base of every plug-in's `Options`: frozen, unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Scorer(Protocol):
    """A loaded engine: scores candidate lists. Not required to be thread-safe."""

    info: Mapping[str, Any]
    """How it was set up: threads, compiler, seconds to load or compile, bytes of what it loaded."""

    def score(self, x: Features) -> NDArray[np.float32]:
        """Scores (n,) float32 of candidates x (n, n_features) float32 C-contiguous, NaN for missing; n may be 0."""
        ...


class Dataset(Protocol):
    """A source of ranking data."""

    Options: type[PluginOptions]

    def load(self, options: Any, cache_dir: Path) -> Splits:
        """Read or make the splits. `cache_dir` may keep parsed files. Raises DataError."""
        ...


class Ranker(Protocol):
    """A way to get the teacher: train it, or read the user's file."""

    Options: type[PluginOptions]

    def train(self, options: Any, work: Training) -> Draft:
        """Write the artefacts into `work.out` and describe them. Raises ModelError."""
        ...


class Method(Protocol):
    """One step of a recipe."""

    Options: type[PluginOptions]

    def refuses(self, options: Any, manifest: Manifest) -> str:
        """Why this method can't work on such a bundle; empty where it can."""
        ...

    def apply(self, options: Any, work: Compression) -> Draft:
        """Write the smaller model's artefacts into `work.out` and describe them. Raises ModelError."""
        ...

    def control(self, options: Any, before: Manifest, after: Manifest) -> dict[str, Any] | None:
        """The cheap alternative at the same size, as a recipe step; None where the method is itself the control."""
        ...


class Engine(Protocol):
    """What scores a bundle."""

    Options: type[PluginOptions]

    def refuses(self, options: Any, manifest: Manifest) -> str:
        """Why this engine can't serve such a bundle; empty where it can."""
        ...

    def open(self, options: Any, bundle: Bundle, cache_dir: Path) -> Scorer:
        """Load (compile where needed, into `cache_dir`) the bundle. Raises EngineError."""
        ...


class ReportFormat(Protocol):
    """A rendering of finished runs."""

    SUFFIX: str
    """File name it is saved under in a run directory (``""``: printed only)."""

    def render(self, report: Report, samples: Samples | None) -> str:
        """One run as text."""
        ...

    def render_suite(self, reports: list[Report]) -> str:
        """Several runs as one comparison."""
        ...

    def render_study(self, study: Study) -> str:
        """A capacity search or a comparison of two sides."""
        ...


@dataclass(frozen=True)
class Training:
    """What a ranker gets: data, where to write, how many cores it may use, which NDCG to stop on, a progress line."""

    splits: Splits
    out: Path
    n_threads: int
    ndcg: NdcgSpec
    progress: Progress


@dataclass(frozen=True)
class Compression:
    """What a method gets: the bundle to compress, the uncompressed teacher, and all that `Training` has."""

    bundle: Bundle
    teacher: Bundle
    splits: Splits
    out: Path
    n_threads: int
    ndcg: NdcgSpec
    progress: Progress
