"""What a plug-in is: a module (one file) with these names. Its file name is its key in a scenario.

Every plug-in has a docstring whose first line says what it is (`harness list` prints it) and, where a scenario can name
it, a model `Options` of the keys that may stand beside `kind`. Libraries other than numpy and pydantic are imported
inside its functions, so that listing and validating stay fast.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from harness.bundle import Bundle, Draft
from harness.events import Progress as Progress
from harness.ranking_data import Features, Floats, Splits
from harness.records import Manifest, NdcgSpec, Report
from harness.studies import Study

if TYPE_CHECKING:
    from harness.samples import Samples

Fault = Literal["wrong-length", "not-finite", "not-a-permutation"]


class PluginOptions(BaseModel):
    """Base of every plug-in's `Options`: frozen, unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Scorer(Protocol):
    """A loaded engine: scores candidate lists. Not required to be thread-safe."""

    info: Mapping[str, Any]
    """How it was set up: threads, compiler, seconds to load or compile, bytes of what it loaded; `tolerance`, the most
    by which a score may differ from the reference's, as a share of the largest (absent: it is the reference; None: it
    is not to be compared); `lossy`, what it gives up, where it can't promise a tolerance; `fallback`, the engine that
    scores in its place, and `fallback_reason`, where it can't itself; `float64`, whether it takes such rows too;
    `whole_lists`, whether a score depends on the other candidates, so that a list must come in one call. Where rounding
    decides on more than a score's last digits, `score_either_way(x)` gives all scores that are right, its own first."""

    def score(self, x: Features) -> NDArray[np.float32]:
        """Scores (n,) float32 of candidates x (n, n_features) float32 C-contiguous, NaN for missing; n may be 0.

        Where `info` says float64, such rows are scored as the model's own library scores them.
        """
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

    # A method that can work on a model file alone also has
    # `needs_data(options, manifest) -> str`: what it would need data for; empty where it needs none.


class Engine(Protocol):
    """What scores a bundle.

    It may also have `open_early_exit(options, bundle, exits, cache_dir)`, which opens a bundle that candidates leave
    early (`harness.early_exit`) without its parts, or gives None.
    """

    Options: type[PluginOptions]

    def refuses(self, options: Any, manifest: Manifest) -> str:
        """Why this engine can't serve such a bundle; empty where it can."""
        ...

    def open(self, options: Any, bundle: Bundle, cache_dir: Path) -> Scorer:
        """Load (compile where needed, into `cache_dir`) the bundle. Raises EngineError."""
        ...


class Adapter(Protocol):
    """A way to ask a ranking endpoint: how a request is written, and where in its answer the ranking stands.

    Pure functions over bytes and arrays, but for `settle`, which may ask the endpoint.
    """

    Options: type[PluginOptions]
    ANSWER_HEADERS: tuple[str, ...]
    """Names, in lower case, of the answer's HTTP headers that `decode` needs."""

    def settle(self, options: Any, ask: Ask, request: RankingRequest) -> tuple[Any, dict[str, Any]]:
        """Options with nothing left open, found out by asking, and what was learnt on the way (for the report).

        Raises TargetError where the endpoint takes none of what the options allow.
        """
        ...

    def width(self, options: Any, ask: Ask) -> int | None:
        """Number of features that the endpoint says it takes; None where it does not say."""
        ...

    def encode(self, options: Any, request: RankingRequest) -> tuple[bytes, dict[str, str]]:
        """Body and HTTP headers of a POST. Raises a HarnessError for what can't be carried."""
        ...

    def decode(self, options: Any, headers: Mapping[str, str], body: bytes, n: int) -> Ranking:
        """What a 2xx answer to n candidates says. Raises a HarnessError where it is malformed."""
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
        """A capacity search, a comparison of two sides, or a bench of engines."""
        ...


class Extract(Protocol):
    """What another tool reads of finished runs: a test report, metrics, a badge."""

    SUFFIX: str
    """File name it is saved under in a run directory."""

    def render(self, reports: Sequence[Report]) -> str:
        """One run, or several together, as text."""
        ...


class Exporter(Protocol):
    """A form of a model that its user loads with nothing of ours."""

    USAGE: str
    """Python that, run in the export's folder, makes `scores` (n,) of `x` (n, n_features) float32 C-contiguous, NaN for
    missing. It is what the user is told, and what every export is checked by."""

    def refuses(self, manifest: Manifest) -> str:
        """Why such a bundle can't take this form; empty where it can."""
        ...

    def write(self, bundle: Bundle, out: Path) -> None:
        """Write the files into the folder `out`. Raises ModelError for what the form has no place for."""
        ...

    def lacks(self) -> str:
        """What `USAGE` needs and this machine has not; empty where it has all."""
        ...


class Sink(Protocol):
    """A tracker that finished runs are sent to; where to and as whom it takes from its own environment variables."""

    def publish(self, publication: Publication) -> str:
        """Send one finished run, and say where it can be seen. Raises SinkError, or whatever its library does."""
        ...


@dataclass(frozen=True)
class Publication:
    """A finished run to be sent: its report, its samples where it has any, its folder, and files to attach."""

    report: Report
    samples: Samples | None
    folder: Path
    files: tuple[Path, ...]


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


@dataclass(frozen=True)
class RankingRequest:
    """A candidate list to rank: x (n, n_features) float32, NaN for missing. A candidate's id is its place, as text."""

    id: str
    x: Features
    feature_names: tuple[str, ...]

    @property
    def item_ids(self) -> tuple[str, ...]:
        """Ids of the candidates, (n,): "0", "1", ..."""
        return tuple(map(str, range(self.x.shape[0])))


@dataclass(frozen=True)
class Ranking:
    """What an answer says: `scores` (m,) in the order of the candidates, or `order` (m,), places of candidates, best
    first, -1 for an id that is none of theirs. One of them is None."""

    scores: Floats | None = None
    order: NDArray[np.int64] | None = None

    def fault(self, n: int) -> Fault | None:
        """What keeps it from ranking n candidates, if anything does."""
        if self.order is not None:
            if self.order.size != n:
                return "wrong-length"
            return None if np.array_equal(np.sort(self.order), np.arange(n)) else "not-a-permutation"
        if self.scores is None or self.scores.size != n:
            return "wrong-length"
        return None if np.isfinite(self.scores).all() else "not-finite"


@dataclass(frozen=True)
class Reply:
    """An HTTP answer: headers by their names in lower case; the time from sending to the last byte."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    round_trip_ms: float

    @property
    def ok(self) -> bool:
        """Whether the status is a 2xx."""
        return 200 <= self.status < 300


class Ask(Protocol):
    """An endpoint that answers one request at a time. Both raise TargetError where no answer comes."""

    def post(self, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Send a request to the target's URL."""
        ...

    def get(self, path: str) -> Reply:
        """Read another resource of the same server."""
        ...

    @property
    def path(self) -> str:
        """Path of the target's URL, without a query."""
        ...

    def excerpt(self, reply: Reply) -> str:
        """Status and beginning of a reply, for a message; credentials are left out."""
        ...
