"""Each thing that spoils figures is told by name, with its effect and a remedy; a quiet machine has none of them."""

import math

import pytest

from harness.doctor.cores import core_checks, vector_check
from harness.doctor.moment import moment_checks
from harness.doctor.room import disk_check, memory_checks, open_files_check, port_checks
from harness.doctor.software import calibration_check, compiler_check, library_checks
from harness.watch import limits

CPUS = (0, 1)
GB = 10**9


def by_what(checks):
    return {check.what: check for check in checks}


def test_a_quiet_machine_of_two_cores_is_ok(machine):
    checks = [
        *core_checks(machine.kernel, CPUS, 2, math.inf),
        *moment_checks(CPUS, False, machine.a_second_with()),
        *memory_checks(machine.kernel, math.inf),
        *port_checks(machine.kernel),
    ]
    assert {check.mark for check in checks} == {"ok"}
    assert by_what(checks)["ports"].value == "28,232 for connections"
    assert by_what(checks)["memory"].value == "12.3 GB free of 16.4 GB"


@pytest.mark.parametrize(
    ("file", "text", "what", "value"),
    [
        ("cpu0/cpufreq/scaling_governor", "powersave", "frequency governor", "performance, powersave"),
        ("cpu0/topology/thread_siblings_list", "0-1", "hyper-threads", "would share a physical core"),
        ("cpufreq/boost", "1", "turbo", "on"),
        ("intel_pstate/no_turbo", "0", "turbo", "on"),
        ("../clocksource/clocksource0/current_clocksource", "hpet", "clock source", "hpet"),
    ],
)
def test_cores_that_vary_are_a_warning(machine, file, text, what, value):
    (machine.root / "sys/devices/system/cpu").mkdir(exist_ok=True)
    machine.says(f"sys/devices/system/cpu/{file}", text)
    check = by_what(core_checks(machine.kernel, CPUS, 2, math.inf))[what]
    assert check.mark == "warn"
    assert value in check.value
    assert check.effect
    assert check.remedy


def test_one_core_or_less_is_bad_whether_by_number_or_by_quota(machine):
    assert by_what(core_checks(machine.kernel, (0,), 2, math.inf))["cores"].mark == "bad"
    for quota_cores, mark in ((1.5, "bad"), (2.0, "ok"), (math.inf, "ok")):
        assert by_what(core_checks(machine.kernel, CPUS, 2, quota_cores))["CPU quota"].mark == mark
    assert by_what(core_checks(machine.kernel, (0, 1, 2), 3, 2.5))["CPU quota"].mark == "warn"


def test_a_kernel_that_tells_nothing_of_its_cores_is_no_alarm(machine):
    for path in (machine.root / "sys").rglob("*"):
        if path.is_file():
            path.unlink()
    checks = by_what(core_checks(machine.kernel, CPUS, 2, math.inf))
    assert {check.mark for check in checks.values()} == {"ok"}
    assert checks["turbo"].value == checks["clock source"].value == "not told"


@pytest.mark.parametrize(
    ("busy", "what", "finding"),
    [
        ({"idle_ticks": (100, 40)}, "other processes", "foreign-cpu"),
        ({"idle_ticks": (90, 100), "stolen_ticks": 10}, "taken by the hypervisor", "steal"),
        ({"cpu": 0.3}, "waiting for a core", "pressure"),
        ({"memory": 0.1}, "waiting for memory", "pressure"),
        ({"io": 0.1}, "waiting for a disk", "pressure"),
    ],
)
def test_what_would_make_a_run_invalid_just_now_is_bad(machine, busy, what, finding):
    checks = by_what(moment_checks(CPUS, True, machine.a_second_with(**busy)))
    assert [name for name, check in checks.items() if check.mark == "bad"] == [what]
    assert finding in checks[what].effect
    assert checks["virtual machine"].value == "yes"


def test_what_the_kernel_does_not_tell_is_a_warning(machine):
    (machine.root / "proc/pressure/io").unlink()
    check = by_what(moment_checks(CPUS, False, machine.a_second_with()))["waiting for a disk"]
    assert (check.mark, check.value) == ("warn", "not told by this kernel")


@pytest.mark.parametrize(("room_bytes", "mark"), [(0.5 * GB, "bad"), (3 * GB, "warn"), (5 * GB, "ok")])
def test_memory_within_the_control_group(machine, room_bytes, mark):
    check = by_what(memory_checks(machine.kernel, room_bytes))["memory"]
    assert check.mark == mark
    assert "within the control group's limit" in check.value


def test_huge_pages_for_everyone_are_a_warning(machine):
    machine.says("sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never\n")
    assert by_what(memory_checks(machine.kernel, math.inf))["huge pages"].mark == "warn"


def test_limits_of_control_groups_of_both_versions(machine):
    assert limits.quota_cores() == limits.memory_room_bytes() == math.inf
    machine.says("sys/fs/cgroup/box/cpu.max", "max 100000\n")
    machine.says("sys/fs/cgroup/cpu.max", "150000 100000\n")
    machine.says("sys/fs/cgroup/box/memory.max", "1000\n")
    machine.says("sys/fs/cgroup/box/memory.current", "900\n")
    machine.says("sys/fs/cgroup/box/memory.stat", "anon 500\ninactive_file 300\n")
    assert limits.quota_cores() == 1.5
    assert limits.memory_room_bytes() == 400
    machine.says("proc/self/cgroup", "3:cpu,cpuacct:/old\n4:memory:/old\n")
    machine.says("sys/fs/cgroup/cpu,cpuacct/old/cpu.cfs_quota_us", "50000\n")
    machine.says("sys/fs/cgroup/cpu,cpuacct/old/cpu.cfs_period_us", "100000\n")
    machine.says("sys/fs/cgroup/memory/old/memory.limit_in_bytes", f"{2**63 - 4096}\n")
    machine.says("sys/fs/cgroup/memory/old/memory.usage_in_bytes", "900\n")
    assert limits.quota_cores() == 0.5
    assert limits.memory_room_bytes() == math.inf


def test_folders_that_a_run_writes_to(tmp_path):
    assert disk_check("results", tmp_path / "not" / "yet").mark == "ok"
    (tmp_path / "file").write_text("")
    check = disk_check("cache", tmp_path / "file" / "below")
    assert (check.mark, "HARNESS_CACHE" in check.remedy) == ("bad", True)


@pytest.mark.parametrize(("limit", "mark"), [(256, "bad"), (512, "warn"), (1024, "ok")])
def test_open_files(limit, mark):
    assert open_files_check(limit).mark == mark


def test_few_ports_are_a_warning(machine):
    machine.says("proc/sys/net/ipv4/ip_local_port_range", "40000\t40099\n")
    (check,) = port_checks(machine.kernel)
    assert (check.mark, check.value) == ("warn", "100 for connections")


def test_software():
    assert compiler_check("none").mark == "bad"
    assert compiler_check("gcc 12").value == "gcc 12"
    assert vector_check("x86_64", ["avx"]).mark == "warn"
    assert vector_check("x86_64", ["avx2"]).mark == vector_check("aarch64", ["asimd"]).mark == "ok"
    needed, extras = library_checks(
        [
            "numpy>=2", "no-such-library", 'pyarrow>=1; extra == "parquet"', 'none-such; extra == "tea"',
            "ruff; extra == 'test'",
        ]
    )  # fmt: skip
    assert (needed.mark, needed.value) == ("bad", "absent: no-such-library")
    assert extras.value == "installed: parquet; not installed: tea"
    assert "[tea]" in extras.remedy


def test_a_calibration_that_is_missing_old_or_of_another_machine(calibration_of):
    now = "2026-03-01T00:00:00+00:00"
    assert calibration_check(None, now).mark == "warn"
    assert calibration_check(calibration_of("2026-02-27T00:00:00+00:00"), now).value == "2 days old"
    assert "59 days earlier" in calibration_check(calibration_of("2026-01-01T00:00:00+00:00"), now).value
    assert "another cores" in calibration_check(calibration_of("2026-02-27T00:00:00+00:00", cores=999), now).value
