"""The plan directory: what load processes are told, and the names of what they write."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict

from harness.load.arrivals import Share
from harness.load.schedule import Schedule, plan, plan_all
from harness.ranking_data import Floats
from harness.scenario.block import Choice
from harness.scenario.target import Access
from harness.scenario.traffic import Traffic

PLAN_VARIABLE, PARENT_VARIABLE = "HARNESS_LOAD_PLAN", "HARNESS_LOAD_PARENT"
"""Environment of a load process: the plan directory, and the process (if any) that it must not outlive."""
PLAN, TRACE = "plan.json", "arrivals.npy"
SAMPLES, ANSWERS = "samples.npz", "answers.npz"
HISTOGRAMS, SECONDS, INFO = "histograms.json", "seconds.json", "load.json"
LOG, PROGRESS = "locust.log", "progress.jsonl"

_BINARY = Choice.model_validate({"kind": "oip", "encoding": "binary"})
_LOOPBACK = Access()


@dataclass(frozen=True)
class Target:
    """What gets requests: a name for the report, the full URL that takes them, how to ask and how to get there."""

    name: str
    url: str
    adapter: Choice = _BINARY
    access: Access = _LOOPBACK

    def in_folder(self, folder: Path) -> Target:
        """The same with a `tls_ca` that is relative to `folder` made absolute."""
        if self.access.tls_ca is None:
            return self
        return replace(self, access=self.access.model_copy(update={"tls_ca": str(folder / self.access.tls_ca)}))


class LoadPlan(BaseModel):
    """Everything load processes need beside the encoded bodies and the recorded arrivals that lie next to this file.

    The schedule is not stored but planned again from the traffic: same seed, same schedule, as its hash proves.
    `first_round` continues an earlier plan of the same traffic; `out`, where results go, is relative to the directory,
    as is `tls_ca` of a target; `cpus` are the cores that workers are pinned to in turn (none: unpinned).
    """

    model_config = ConfigDict(frozen=True)

    targets: tuple[Target, ...]
    traffic: Traffic
    n_bodies: int
    out: Path
    first_round: int = 0
    cpus: tuple[int, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The targets' names."""
        return tuple(target.name for target in self.targets)

    def bodies(self, target: int) -> str:
        """Folder of a target's encoded bodies; targets that are asked alike share theirs."""
        adapters = [each.adapter for each in self.targets]
        return f"bodies-{adapters.index(adapters[target])}"

    def schedule(self, folder: Path, share: Share) -> Schedule:
        """When which request of one worker is due."""
        return plan(self.traffic, len(self.targets), self.n_bodies, self.first_round, share, _trace(folder))

    def schedules(self, folder: Path, n_workers: int) -> tuple[Schedule, ...]:
        """Those of all workers; LoadError where a judged window would see no request."""
        return plan_all(self.traffic, len(self.targets), self.n_bodies, self.first_round, n_workers, _trace(folder))

    def write(self, folder: Path) -> None:
        """Put the plan into its directory."""
        (folder / PLAN).write_text(self.model_dump_json(indent=1), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> LoadPlan:
        """The plan in a directory, its relative paths made absolute."""
        read, here = cls.model_validate_json((folder / PLAN).read_bytes()), folder.resolve()
        targets = tuple(target.in_folder(here) for target in read.targets)
        return read.model_copy(update={"targets": targets, "out": here / read.out})


def _trace(folder: Path) -> Floats:
    trace: Floats = np.load(folder / TRACE, allow_pickle=False)
    return trace
