"""What else this machine does just now, by the quantities and limits that make a run INVALID."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator

from harness.doctor.check import Check, bad, ok, warn
from harness.judge.machine import RULES
from harness.watch import proc

_LOOK_S = 1.0
_NAMES = {
    "foreign": "other processes",
    "steal": "taken by the hypervisor",
    "cpu_pressure": "waiting for a core",
    "memory_pressure": "waiting for memory",
    "io_pressure": "waiting for a disk",
}


def a_second() -> float:
    """Waits; the seconds that really went by."""
    begun_s = time.monotonic()
    time.sleep(_LOOK_S)
    return time.monotonic() - begun_s


def moment_checks(cpus: tuple[int, ...], virtual: bool, pause: Callable[[], float] = a_second) -> Iterator[Check]:
    """How much of these cores others took, and what tasks waited for, during a pause."""
    yield ok("virtual machine", "yes" if virtual else "no")
    seen = _shares(cpus, pause)
    for rule in RULES:
        what, share = _NAMES[rule.quantity], seen[rule.quantity]
        if math.isnan(share):
            yield warn(
                what, "not told by this kernel", "whether a run was left alone is not known (not-watched)",
                "use Linux, with PSI for the last three (boot with psi=1)",
            )  # fmt: skip
        elif share > rule.allowed:
            value = f"{share * 100:.1f} % of the last second, {rule.allowed * 100:.0f} % allowed"
            yield bad(what, value, f"{rule.message}: a run now would be INVALID ({rule.name})", rule.remedy)
        else:
            yield ok(what, f"{share * 100:.1f} %")


def _shares(cpus: tuple[int, ...], pause: Callable[[], float]) -> dict[str, float]:
    """Shares of the time of a pause, by the names of `MachineMeasure`; NaN where the kernel does not tell."""
    cores, waited = proc.core_times(cpus), proc.pressure_s()
    seconds = pause()
    cores_after, waited_after = proc.core_times(cpus), proc.pressure_s()
    found = {f"{name}_pressure": (waited_after[name] - waited[name]) / seconds for name in proc.RESOURCES}
    if cores is None or cores_after is None:
        return {"foreign": math.nan, "steal": math.nan, **found}
    available_s = seconds * len(cpus)
    stolen_s, rest_s = cores_after.steal_s - cores.steal_s, cores_after.rest_s - cores.rest_s
    busy_s = max(available_s - rest_s - stolen_s, 0.0)
    return {"foreign": busy_s / available_s, "steal": stolen_s / available_s, **found}
