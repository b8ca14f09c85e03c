"""What the machine did during the run, per target."""

from __future__ import annotations

import math
from collections.abc import Sequence

from harness.records import Spread, TargetMeasure
from harness.report import _numbers as numbers
from harness.report._table import Table

_HEADS = (
    "target", "seconds", "foreign CPU", "steal", "waiting for CPU", "for memory", "for I/O", "throttled",
    "busiest generator", "server CPU per request",
)  # fmt: skip


def table(measures: Sequence[TargetMeasure]) -> Table:
    """Means over the judged seconds, with the worst second after the bar; no rows where the machine was not watched."""
    rows = tuple(
        (
            measure.target,
            f"{machine.n_seconds}",
            _both(machine.foreign),
            _both(machine.steal),
            _both(machine.cpu_pressure),
            _both(machine.memory_pressure),
            _both(machine.io_pressure),
            numbers.figure(machine.throttled_s, "s"),
            numbers.share(machine.generator_cpu_share_max),
            numbers.us(machine.server_cpu_us),
        )
        for measure in measures
        if (machine := measure.machine).n_seconds
    )
    note = "Mean over the judged seconds | worst second, of the time of the generator's and server's cores."
    return Table("Machine during the run", _HEADS, rows, note=note)


def _both(spread: Spread) -> str:
    if math.isnan(spread.mean):
        return numbers.NOTHING
    return f"{spread.mean * 100:.1f} | {spread.worst * 100:.1f} %"
