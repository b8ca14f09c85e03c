"""Which cores the server and the load generator get: apart wherever the machine has two."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from harness.records import Finding

_TOPOLOGY = Path("/sys/devices/system/cpu")


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


def place(
    workers: int, cpus: tuple[int, ...] | None = None, processes: int = 1, topology: Path = _TOPOLOGY
) -> tuple[Placement, tuple[Finding, ...]]:
    """Cores for `workers` server workers and `processes` load processes: one for each, apart from one another.

    Where there are too few, the server comes first; the load generator has one core of its own at least. Findings say
    what had to be shared.
    """
    cpus = available_cpus() if cpus is None else cpus
    if len(cpus) == 1:
        finding = Finding(
            name="shared-core",
            message="the load generator and the server share the only core",
            remedy="give the harness at least 2 cores",
            hard=True,
        )
        return Placement(cpus, cpus), (finding,)
    n_generator = max(1, min(processes, len(cpus) - workers))
    placement = Placement(cpus[:n_generator], cpus[n_generator : n_generator + workers])
    findings = _siblings(placement, topology)
    if len(placement.server) < workers:
        findings.append(_too_few("server workers", workers, placement.server, "serve.workers"))
    if n_generator < processes:
        findings.append(_too_few("load processes", processes, placement.generator, "load.processes"))
    return placement, tuple(findings)


def _siblings(placement: Placement, topology: Path) -> list[Finding]:
    """Whether hyper-threads of one physical core run both sides, as far as the kernel tells."""
    shared = {cpu for own in placement.generator for cpu in _threads_of(own, topology)} & set(placement.server)
    if not shared:
        return []
    cores = ", ".join(map(str, sorted(shared)))
    return [
        Finding(
            name="sibling-cores",
            message=f"the load generator runs on hyper-threads of the server's cores {cores}",
            remedy="give the harness cores of its own (taskset), or turn SMT off: each slows the other down",
        )
    ]


def _threads_of(cpu: int, topology: Path) -> set[int]:
    """The hyper-threads of a CPU's physical core, itself among them; itself alone where that is not told."""
    try:
        text = (topology / f"cpu{cpu}" / "topology" / "thread_siblings_list").read_text(encoding="ascii").strip()
        ranges = [part.partition("-") for part in text.split(",")]
        return {n for low, _, high in ranges for n in range(int(low), int(high or low) + 1)} | {cpu}
    except (OSError, ValueError):
        return {cpu}


def _too_few(what: str, wanted: int, cpus: tuple[int, ...], key: str) -> Finding:
    return Finding(
        name="too-few-cores",
        message=f"{wanted} {what} share {len(cpus)} cores",
        remedy=f"set {key} to {len(cpus)} or less",
    )
