"""The plan directory: what load processes are told, and the names of what they write."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict

from harness.load.arrivals import Share
from harness.load.schedule import Schedule, plan, plan_all
from harness.ranking_data import Floats
from harness.scenario.schema import Traffic

PLAN_VARIABLE, PARENT_VARIABLE = "HARNESS_LOAD_PLAN", "HARNESS_LOAD_PARENT"
"""Environment of a load process: the plan directory, and the process (if any) that it must not outlive."""
PLAN, TRACE = "plan.json", "arrivals.npy"
SAMPLES, HISTOGRAMS, SECONDS, INFO = "samples.npz", "histograms.json", "seconds.json", "load.json"
LOG, PROGRESS = "locust.log", "progress.txt"


@dataclass(frozen=True)
class Target:
    """What gets requests: a name for the report and the full URL that takes them."""

    name: str
    url: str


class LoadPlan(BaseModel):
    """Everything load processes need beside the encoded bodies and the recorded arrivals that lie next to this file.

    The schedule is not stored but planned again from the traffic: same seed, same schedule, as its hash proves.
    `first_round` continues an earlier plan of the same traffic; `out`, where results go, is relative to the directory;
    `cpus` are the cores that workers are pinned to in turn (none: unpinned).
    """

    model_config = ConfigDict(frozen=True)

    targets: tuple[Target, ...]
    traffic: Traffic
    n_bodies: int
    out: Path
    first_round: int = 0
    cpus: tuple[int, ...] = ()

    def schedule(self, folder: Path, share: Share) -> Schedule:
        """When which request of one worker is due."""
        return plan(self.traffic, len(self.targets), self.n_bodies, self.first_round, share, _trace(folder))

    def schedules(self, folder: Path, n_workers: int) -> tuple[Schedule, ...]:
        """Those of all workers; LoadError where a judged window would see no request."""
        return plan_all(self.traffic, len(self.targets), self.n_bodies, self.first_round, n_workers, _trace(folder))

    def write(self, folder: Path, trace: Floats | None = None) -> None:
        """Put the plan into its directory, and the recorded arrivals unless they are there already."""
        if trace is not None:
            np.save(folder / TRACE, trace)
        (folder / PLAN).write_text(self.model_dump_json(indent=1), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> LoadPlan:
        """The plan in a directory, its `out` made absolute."""
        read = cls.model_validate_json((folder / PLAN).read_bytes())
        return read.model_copy(update={"out": folder.resolve() / read.out})


def _trace(folder: Path) -> Floats:
    trace: Floats = np.load(folder / TRACE, allow_pickle=False)
    return trace
