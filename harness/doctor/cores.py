"""Cores: how many, whose, how fast, and by which clock they are timed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from harness.doctor.check import Check, bad, ok, warn
from harness.doctor.kernel import Kernel
from harness.placement import place

_GOOD_CLOCKS = ("tsc", "kvm-clock", "hyperv_clocksource_tsc_page", "xen", "arch_sys_counter")
_LEAST_CORES = 2


def core_checks(kernel: Kernel, cpus: tuple[int, ...], n_cores: int, quota_cores: float) -> Iterator[Check]:
    """All about the cores `cpus` that this process may use, of `n_cores` in the machine, within a CPU quota."""
    yield _number(cpus, n_cores)
    yield _smt(kernel, cpus)
    yield _quota(quota_cores, len(cpus))
    yield _governor(kernel, cpus)
    yield _turbo(kernel)
    yield _clock(kernel.word("sys/devices/system/clocksource/clocksource0/current_clocksource"))


def vector_check(machine: str, extensions: Sequence[str]) -> Check:
    """Which instructions scoring may use."""
    value = f"{machine}: {', '.join(extensions) or 'no vector extension that matters'}"
    if machine == "x86_64" and "avx2" not in extensions:
        return warn(
            "instructions", value, "bitblend scores several times slower without AVX2, and int8 networks gain nothing",
            "use a machine with AVX2, and a hypervisor that shows it to its guests",
        )  # fmt: skip
    return ok("instructions", value)


def _number(cpus: tuple[int, ...], n_cores: int) -> Check:
    numbers = ", ".join(map(str, cpus[:16])) + (", ..." if len(cpus) > 16 else "")
    value = f"{len(cpus)} of {n_cores} may be used ({numbers})"
    if len(cpus) < _LEAST_CORES:
        return bad(
            "cores", value, "load generator and server make each other late: every run is INVALID (shared-core)",
            "give the harness at least 2 cores (taskset, or the container's CPU set)",
        )  # fmt: skip
    return ok("cores", value)


def _smt(kernel: Kernel, cpus: tuple[int, ...]) -> Check:
    active = {"1": "on", "0": "off"}.get(kernel.word("sys/devices/system/cpu/smt/active"), "not told")
    _, findings = place(1, cpus, topology=kernel.topology)
    if any(finding.name == "sibling-cores" for finding in findings):
        return warn(
            "hyper-threads", f"{active}; load generator and server would share a physical core",
            "each slows the other down, by tens of per cent, whenever both have work",
            "choose cores of different physical ones (`lscpu -e`; taskset), or turn SMT off",
        )  # fmt: skip
    return ok("hyper-threads", active)


def _quota(quota_cores: float, n_cpus: int) -> Check:
    value = "none" if math.isinf(quota_cores) else f"{quota_cores:g} cores' worth of time"
    if quota_cores >= n_cpus:
        return ok("CPU quota", value)
    says = bad if quota_cores < _LEAST_CORES else warn
    return says(
        "CPU quota", value, "who has used up the quota stands still for up to 100 ms: the run is INVALID (throttled)",
        "raise the container's CPU limit, or limit it by a CPU set instead",
    )  # fmt: skip


def _governor(kernel: Kernel, cpus: tuple[int, ...]) -> Check:
    found = sorted(kernel.of_cpus(cpus, "cpufreq/scaling_governor"))
    if set(found) <= {"performance"}:
        return ok("frequency governor", ", ".join(found) or "not told (the hypervisor's, in a virtual machine)")
    return warn(
        "frequency governor", ", ".join(found),
        "cores clock up only once they have work: at low rates each request finds a slow core",
        "cpupower frequency-set --governor performance",
    )  # fmt: skip


def _turbo(kernel: Kernel) -> Check:
    off = kernel.word("sys/devices/system/cpu/intel_pstate/no_turbo")
    boost = kernel.word("sys/devices/system/cpu/cpufreq/boost")
    if off != "0" and boost != "1":
        return ok("turbo", "off" if off or boost else "not told")
    return warn(
        "turbo", "on", "the clock depends on heat and on what other cores do: figures of a run and the next differ "
        "by some per cent (sides of one `harness compare` are interleaved, and share it)",
        "turn it off where small differences matter: echo 1 > /sys/devices/system/cpu/intel_pstate/no_turbo, or "
        "echo 0 > /sys/devices/system/cpu/cpufreq/boost",
    )  # fmt: skip


def _clock(source: str) -> Check:
    if not source or source in _GOOD_CLOCKS:
        return ok("clock source", source or "not told")
    return warn(
        "clock source", source, "each look at the clock takes microseconds in the kernel, for many looks a request",
        "boot with clocksource=tsc where the CPU's counter is steady",
    )  # fmt: skip
