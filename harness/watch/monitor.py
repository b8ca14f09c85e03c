"""One row a second while a load test runs: what the cores did that the load test did not ask them to."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from harness.errors import HarnessError
from harness.records import MachineLog
from harness.watch import proc

_PERIOD_S = 1.0
_SHORTEST_S = 0.1
_DIGITS = 4


@dataclass(frozen=True)
class _Reading:
    """All counters at one moment; processes as pid -> CPU seconds."""

    time_s: float
    cores: proc.CoreTimes | None
    pressure_s: Mapping[str, float]
    throttled_s: float
    harness: Mapping[int, float]
    generator: Mapping[int, float]
    servers: Mapping[str, Mapping[int, float]]


@dataclass(frozen=True)
class _Row:
    """One row of the log; `generator` is pid -> share of a core."""

    end_s: float
    duration_s: float
    steal: float
    foreign: float
    throttled: float
    pressure: Mapping[str, float]
    generator: Mapping[int, float]
    server_cpu_s: Mapping[str, float]


class Monitor:
    """Watches the machine from its creation on; `look` has to be called several times a second.

    servers: the processes of each target's server, whose descendants count with them. What the calling process has
    started by now is the harness's own; what it starts from now on are the load generator's processes.
    journal: a file that gets each row at once, as a line of JSON (a `MachineLog` of one row), and so outlives this
    process; HarnessError where it can't be written.
    """

    def __init__(
        self,
        servers: Mapping[str, Sequence[int]],
        generator_cpus: Sequence[int],
        server_cpus: Sequence[int],
        journal: Path | None = None,
    ) -> None:
        self._servers = servers
        self._generator_cpus, self._server_cpus = tuple(generator_cpus), tuple(server_cpus)
        self._cpus = tuple(sorted({*generator_cpus, *server_cpus}))
        self._harness = frozenset(proc.tree(os.getpid()))
        self._started = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._before = self._read()
        self._rows: list[_Row] = []
        self._journal = journal

    def look(self) -> None:
        """Add a row where a second has passed since the last one."""
        if time.monotonic() - self._before.time_s >= _PERIOD_S:
            self._add()

    def log(self) -> MachineLog | None:
        """The rows so far, the begun second among them; None where the kernel does not tell."""
        if time.monotonic() - self._before.time_s >= _SHORTEST_S:
            self._add()
        if not self._rows or self._before.cores is None:
            return None
        return self._as_log(self._rows)

    def _as_log(self, rows: Sequence[_Row]) -> MachineLog:
        pids = dict.fromkeys(pid for row in rows for pid in row.generator)
        return MachineLog(
            started=self._started,
            generator_cpus=self._generator_cpus,
            server_cpus=self._server_cpus,
            end_s=tuple(row.end_s for row in rows),
            duration_s=tuple(row.duration_s for row in rows),
            steal_share=tuple(row.steal for row in rows),
            foreign_share=tuple(row.foreign for row in rows),
            throttled_share=tuple(row.throttled for row in rows),
            pressure_share={name: tuple(row.pressure[name] for row in rows) for name in proc.RESOURCES},
            generator_cpu_share=tuple(tuple(row.generator.get(pid, math.nan) for row in rows) for pid in pids),
            server_cpu_s={name: tuple(row.server_cpu_s[name] for row in rows) for name in self._servers},
        )

    def _add(self) -> None:
        now = self._read()
        self._rows.append(_row(self._before, now, len(self._cpus)))
        self._before = now
        if self._journal is not None:
            self._keep(self._journal, self._rows[-1])

    def _keep(self, journal: Path, row: _Row) -> None:
        try:
            journal.parent.mkdir(parents=True, exist_ok=True)
            with journal.open("a", encoding="utf-8") as file:
                file.write(self._as_log([row]).model_dump_json() + "\n")
        except OSError as error:
            raise HarnessError(
                f"can't write: {error.strerror or error}", where=str(journal), remedy="free some space on that disk"
            ) from error

    def _read(self) -> _Reading:
        servers = {name: _processes(*pids) for name, pids in self._servers.items()}
        serving = {pid for processes in servers.values() for pid in processes}
        ours = _processes(os.getpid())
        return _Reading(
            time_s=time.monotonic(),
            cores=proc.core_times(self._cpus),
            pressure_s=proc.pressure_s(),
            throttled_s=proc.throttled_s(),
            harness={pid: used for pid, used in ours.items() if pid in self._harness - serving},
            generator={pid: used for pid, used in ours.items() if pid not in self._harness | serving},
            servers=servers,
        )


def _processes(*roots: int) -> dict[int, float]:
    return {pid: used for root in roots for pid in proc.tree(root) if not math.isnan(used := proc.cpu_s(pid))}


def _row(before: _Reading, now: _Reading, n_cpus: int) -> _Row:
    duration_s = now.time_s - before.time_s
    generator = _used_s(before.generator, now.generator)
    servers = {name: _used_s(before.servers[name], processes) for name, processes in now.servers.items()}
    steal, foreign = math.nan, math.nan
    if before.cores is not None and now.cores is not None:
        capacity_s = duration_s * n_cpus
        steal_s = now.cores.steal_s - before.cores.steal_s
        steal = steal_s / capacity_s
        groups = (generator, _used_s(before.harness, now.harness), *servers.values())
        ours_s = sum(sum(used.values()) for used in groups)
        busy_s = capacity_s - steal_s - (now.cores.rest_s - before.cores.rest_s)
        # the last moments of a process that has ended are in no file; as foreign time they would accuse the machine
        foreign = math.nan if _ended(before, now) else max(0.0, busy_s - ours_s) / capacity_s
    return _Row(
        end_s=round(now.time_s, _DIGITS),
        duration_s=round(duration_s, _DIGITS),
        steal=round(steal, _DIGITS),
        foreign=round(foreign, _DIGITS),
        throttled=round((now.throttled_s - before.throttled_s) / duration_s, _DIGITS),
        pressure={
            name: round((total - before.pressure_s[name]) / duration_s, _DIGITS)
            for name, total in now.pressure_s.items()
        },
        generator={pid: round(used / duration_s, _DIGITS) for pid, used in generator.items()},
        server_cpu_s={name: round(sum(used.values()), _DIGITS) for name, used in servers.items()},
    )


def _used_s(before: Mapping[int, float], now: Mapping[int, float]) -> dict[int, float]:
    """CPU seconds since then of every process that is there now."""
    return {pid: used - before.get(pid, 0.0) for pid, used in now.items()}


def _ended(before: _Reading, now: _Reading) -> bool:
    gone = [before.harness.keys() - now.harness.keys(), before.generator.keys() - now.generator.keys()]
    gone += [before.servers[name].keys() - processes.keys() for name, processes in now.servers.items()]
    return any(gone)
