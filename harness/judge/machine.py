"""Did the machine leave the load test alone? Figures of the judged seconds against what is allowed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from harness.records import Finding, MachineMeasure, Spread, TargetMeasure

THROTTLED_S = 0.0


@dataclass(frozen=True)
class Rule:
    """A quantity of `MachineMeasure` whose mean over the judged seconds may be `allowed` at most."""

    quantity: str
    name: str
    message: str
    allowed: float
    remedy: str


# Pressure counts the harness's own tasks too: on a machine of 2 cores with nothing else on it, a server that keeps its
# core busy for 70 % of the time makes 1.5 to 2 % for the CPU, and none for memory and I/O.
RULES = (
    Rule(
        "foreign", "foreign-cpu", "other processes ran on the cores of the generator and the server", 0.05,
        "end them, or give the run cores of its own (taskset, cpusets)",
    ),
    Rule(
        "steal", "steal", "the hypervisor gave the cores to other guests", 0.01,
        "run on a machine, or a kind of instance, with cores of its own",
    ),
    Rule(
        "cpu_pressure", "pressure", "tasks waited for a core", 0.20,
        "end what else runs on this machine, or use one with more cores",
    ),
    Rule(
        "memory_pressure", "pressure", "tasks waited for memory", 0.05,
        "free memory, or use a machine with more",
    ),
    Rule(
        "io_pressure", "pressure", "tasks waited for a disk", 0.05,
        "end what reads and writes files beside the run",
    ),
)  # fmt: skip


def machine_findings(measure: TargetMeasure, *, hard: bool) -> Iterator[Finding]:
    """What disturbed the judged seconds of one target."""
    machine = measure.machine
    unknown = [name for name in ("foreign", "steal") if math.isnan(getattr(machine, name).mean)]
    if unknown:
        yield Finding(
            name="not-watched",
            message=f"{measure.target}: it is not known how much CPU time others took ({', '.join(unknown)})",
            remedy="run on Linux, and windows of several seconds, so that the machine can be watched",
            target=measure.target,
        )
    for rule in RULES:
        spread: Spread = getattr(machine, rule.quantity)
        if spread.mean > rule.allowed:
            yield Finding(
                name=rule.name,
                message=f"{measure.target}: {rule.message}, {spread.worst * 100:.1f} % of the time in the worst second",
                remedy=rule.remedy,
                hard=hard,
                target=measure.target,
                figure=spread.mean,
                threshold=rule.allowed,
                unit="share",
            )
    yield from _throttled(measure, machine, hard=hard)


def _throttled(measure: TargetMeasure, machine: MachineMeasure, *, hard: bool) -> Iterator[Finding]:
    if machine.throttled_s > THROTTLED_S:
        yield Finding(
            name="throttled",
            message=f"{measure.target}: the control group's CPU quota held processes back",
            remedy="raise the container's CPU limit, or run without one",
            hard=hard,
            target=measure.target,
            figure=machine.throttled_s,
            threshold=THROTTLED_S,
            unit="s",
        )
