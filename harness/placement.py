"""Which cores the server and the load generator get: apart wherever the machine has two."""

from __future__ import annotations

import os
from dataclasses import dataclass

from harness.records import Finding


@dataclass(frozen=True)
class Placement:
    """CPU numbers for the load generator and the server's workers."""

    generator: tuple[int, ...]
    server: tuple[int, ...]

    @property
    def shared(self) -> bool:
        """Whether some core runs both."""
        return bool(set(self.generator) & set(self.server))


def available_cpus() -> tuple[int, ...]:
    """Cores this process may use (its affinity, which container runtimes and taskset set)."""
    if hasattr(os, "sched_getaffinity"):
        return tuple(sorted(os.sched_getaffinity(0)))
    return tuple(range(os.cpu_count() or 1))


def place(workers: int, cpus: tuple[int, ...] | None = None) -> tuple[Placement, tuple[Finding, ...]]:
    """First core for the generator, the next ones for the server, one per worker; findings where that is too few."""
    cpus = available_cpus() if cpus is None else cpus
    if len(cpus) == 1:
        finding = Finding(
            name="shared-core",
            message="the load generator and the server share the only core",
            remedy="give the harness at least 2 cores",
            hard=True,
        )
        return Placement(cpus, cpus), (finding,)
    server = cpus[1 : 1 + workers]
    placement = Placement(cpus[:1], server)
    if len(server) == workers:
        return placement, ()
    finding = Finding(
        name="too-few-cores",
        message=f"{workers} server workers share {len(server)} cores",
        remedy=f"set serve.workers to {len(server)} or less",
    )
    return placement, (finding,)
