"""Samples: one row per planned request, as columns, kept in a file that judging and rendering read."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from harness.errors import HarnessError
from harness.ranking_data import Floats

if TYPE_CHECKING:
    from pandas import DataFrame

UNSENT = 0
TRANSPORT_ERROR = -1
NO_ANSWER = -1


@dataclass(frozen=True)
class Samples:
    """Columns of equal length, one row per planned request, ordered by segment and due time.

    target: index into `targets`; segment: block of the interleaved run; in_window: False for warm-up;
    due_s, sent_s, done_s: seconds from the start of the segment (NaN where it never happened);
    status: HTTP status, 0 unsent, -1 transport error, time-out or unreadable answer;
    n_candidates: length of the candidate list; body: index of the request body;
    worker: number of the load process that planned and sent it (0 where there is one);
    answer: index into the run's kept answers (`harness.answers`), NO_ANSWER where there is none or it was not kept.
    """

    targets: tuple[str, ...]
    target: NDArray[np.int16]
    segment: NDArray[np.int16]
    in_window: NDArray[np.bool_]
    due_s: Floats
    sent_s: Floats
    done_s: Floats
    status: NDArray[np.int16]
    n_candidates: NDArray[np.int32]
    body: NDArray[np.int32]
    worker: NDArray[np.int16] = field(default_factory=lambda: np.empty(0, np.int16))
    answer: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))

    def __post_init__(self) -> None:
        if self.worker.size != len(self):
            object.__setattr__(self, "worker", np.zeros(len(self), np.int16))
        if self.answer.size != len(self):
            object.__setattr__(self, "answer", np.full(len(self), NO_ANSWER, np.int32))

    @property
    def ok(self) -> NDArray[np.bool_]:
        """True where a 2xx answer arrived whole."""
        return (self.status >= 200) & (self.status < 300)

    @property
    def latency_ms(self) -> Floats:
        """done - due; infinite for failed and unsent requests, so that they count as over every limit."""
        return np.where(self.ok, (self.done_s - self.due_s) * 1e3, np.inf)

    @property
    def round_trip_ms(self) -> Floats:
        """done - sent; infinite for failed requests, NaN for unsent ones."""
        raw = np.where(self.ok, (self.done_s - self.sent_s) * 1e3, np.inf)
        return np.where(self.status == UNSENT, np.nan, raw)

    @property
    def send_lag_ms(self) -> Floats:
        """sent - due; NaN for unsent requests."""
        return (self.sent_s - self.due_s) * 1e3

    def judged(self, target: str) -> Samples:
        """The rows of one target that lie in a judged window."""
        if target not in self.targets:
            raise HarnessError(
                f"no samples of target {target!r}, only of {', '.join(self.targets)}", remedy="run the scenario again"
            )
        return self.where(self.in_window & (self.target == self.targets.index(target)))

    def where(self, mask: NDArray[np.bool_]) -> Samples:
        """The rows where `mask` holds."""
        return Samples(self.targets, *(getattr(self, f.name)[mask] for f in fields(self)[1:]))

    def __len__(self) -> int:
        return int(self.due_s.shape[0])

    def frame(self) -> DataFrame:
        """One row per planned request: all columns, `target` by its name, and latency, round trip and send lag in ms.

        Latency is infinite for failed and unsent requests, as it is judged.
        """
        import pandas as pd

        target = pd.Categorical.from_codes(self.target, list(self.targets))
        columns = {f.name: getattr(self, f.name) for f in fields(self)[2:]}
        times = {name: getattr(self, name) for name in ("latency_ms", "round_trip_ms", "send_lag_ms")}
        return pd.DataFrame({"target": target, **columns, **times})

    def save(self, path: Path) -> None:
        """Write as a compressed .npz (no pickles)."""
        columns = {f.name: getattr(self, f.name) for f in fields(self)[1:]}
        with path.open("wb") as file:
            np.savez_compressed(file, targets=np.array(self.targets), **columns)

    @classmethod
    def load(cls, path: Path) -> Samples:
        """Read what `save` wrote; a missing or corrupt file is a HarnessError naming it."""
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
                targets = tuple(str(t) for t in archive["targets"])
                optional = {f.name for f in fields(cls) if f.default_factory is not MISSING} - set(archive.files)
                return cls(targets, **{f.name: archive[f.name] for f in fields(cls)[1:] if f.name not in optional})
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
            raise HarnessError(
                f"can't read samples: {error}", where=str(path), remedy="run the scenario again"
            ) from error
