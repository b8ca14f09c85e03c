"""The plan directory: what the load process is told, and the names of what it writes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from harness.load.schedule import Schedule, plan
from harness.scenario.schema import Access, Choice, Traffic

PLAN_VARIABLE = "HARNESS_LOAD_PLAN"
PLAN, PROGRESS = "plan.json", "progress.txt"
SAMPLES, HISTOGRAMS, INFO, LOG = "samples.npz", "histograms.json", "load.json", "locust.log"
ANSWERS = "answers.npz"

_BINARY = Choice.model_validate({"kind": "oip", "encoding": "binary"})
_LOOPBACK = Access()


@dataclass(frozen=True)
class Target:
    """What gets requests: a name for the report, the full URL that takes them, how to ask and how to get there."""

    name: str
    url: str
    adapter: Choice = _BINARY
    access: Access = _LOOPBACK


class LoadPlan(BaseModel):
    """Everything the load process needs beside the encoded bodies that lie next to this file.

    The schedule is not stored but planned again from the traffic: same seed, same schedule, as its hash proves.
    """

    model_config = ConfigDict(frozen=True)

    targets: tuple[Target, ...]
    traffic: Traffic
    n_bodies: int
    out: Path
    parent_pid: int

    def bodies(self, target: int) -> str:
        """Folder of a target's encoded bodies; targets that are asked alike share theirs."""
        adapters = [each.adapter for each in self.targets]
        return f"bodies-{adapters.index(adapters[target])}"

    def schedule(self) -> Schedule:
        """When which request is due."""
        return plan(self.traffic, len(self.targets), self.n_bodies)

    def write(self, folder: Path) -> None:
        """Put the plan into its directory."""
        (folder / PLAN).write_text(self.model_dump_json(), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> LoadPlan:
        """The plan in a directory."""
        return cls.model_validate_json((folder / PLAN).read_bytes())
