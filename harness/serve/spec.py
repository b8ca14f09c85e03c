"""What the launcher tells a worker."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from harness.scenario import Choice


class WorkerSpec(BaseModel):
    """One worker's orders. `socket_fd` listens and `stats_fd` holds the board; both are inherited."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    parent_pid: int
    worker: int
    bundle: Path
    engine: Choice
    model: str
    max_candidates: int
    cpus: tuple[int, ...]
    cache_dir: Path
    socket_fd: int
    stats_fd: int
