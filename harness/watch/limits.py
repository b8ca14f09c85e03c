"""What control groups allow this process: a share of the cores' time, and memory."""

from __future__ import annotations

import math

from harness.watch.proc import levels, text_of

_UNLIMITED_BYTES = 2**60
"""Version 1 writes no limit as a number of about 2^63."""


def quota_cores() -> float:
    """Cores' worth of CPU time per period, by the tightest group; infinite without a limit."""
    found = [math.inf]
    for level in levels("cpu"):
        quota, _, period = text_of(level / "cpu.max").strip().partition(" ")
        quota = quota or text_of(level / "cpu.cfs_quota_us").strip()
        period = period or text_of(level / "cpu.cfs_period_us").strip()
        if quota.isdecimal() and period.isdecimal():
            found.append(int(quota) / int(period))
    return min(found)


def memory_room_bytes() -> float:
    """What the tightest group still allows, counting files in memory that can be dropped as free; infinite without."""
    found = [math.inf]
    for level in levels("memory"):
        limit = text_of(level / "memory.max").strip() or text_of(level / "memory.limit_in_bytes").strip()
        used = text_of(level / "memory.current").strip() or text_of(level / "memory.usage_in_bytes").strip()
        if limit.isdecimal() and used.isdecimal() and int(limit) < _UNLIMITED_BYTES:
            counts = dict(line.split() for line in text_of(level / "memory.stat").splitlines())
            dropped = int(counts.get("total_inactive_file", counts.get("inactive_file", 0)))
            found.append(int(limit) - int(used) + dropped)
    return min(found)
