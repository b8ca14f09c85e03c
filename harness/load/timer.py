"""Waiting for a point in time inside gevent's loop, without its rounding.

`gevent.sleep` is libev's timer, which rounds up to whole milliseconds: about 0.6 ms late at the median. A timerfd that
the loop watches like a socket is late by 0.05 ms on a core that is awake, and by 0.2 to 0.4 ms on a virtual machine's
core that has to be woken; so after a longer sleep the last stretch is spent polling the loop.
"""

from __future__ import annotations

import ctypes
import os
import time
from typing import Protocol

import gevent

from harness.records import PRECISE_TIMER

_CLOCK_MONOTONIC = 1
_TFD_TIMER_ABSTIME = 1
_READABLE = 1
_LONG_WAIT_S = 1.5e-3
_POLL_S = 0.3e-3


class Timer(Protocol):
    """Something that waits until a time of `time.monotonic`."""

    name: str

    def wait_until(self, time_s: float) -> None:
        """Let other greenlets run until then."""
        ...


class TimerFd:
    """Absolute waits on Linux's timerfd (CLOCK_MONOTONIC, the clock of `time.monotonic` there)."""

    name = PRECISE_TIMER

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fd = self._libc.timerfd_create(_CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create failed")
        self._hub = gevent.get_hub()
        # before the answers that became readable in the same turn of the loop
        self._watcher = self._hub.loop.io(self._fd, _READABLE, priority=self._hub.loop.MAXPRI)
        self._spec = (ctypes.c_long * 4)()  # struct itimerspec: interval s, ns; value s, ns

    def wait_until(self, time_s: float) -> None:
        """Let other greenlets run until then; returns at once where it has passed."""
        polled = time_s - time.monotonic() > _LONG_WAIT_S
        time_ns = max(int((time_s - _POLL_S if polled else time_s) * 1e9), 1)  # 0 would disarm the timer
        self._spec[2], self._spec[3] = divmod(time_ns, 1_000_000_000)
        if self._libc.timerfd_settime(self._fd, _TFD_TIMER_ABSTIME, self._spec, None) < 0:
            raise OSError(ctypes.get_errno(), "timerfd_settime failed")
        self._hub.wait(self._watcher)
        os.read(self._fd, 8)
        while polled and time.monotonic() < time_s:
            gevent.sleep(0)


class SleepTimer:
    """`gevent.sleep`, where there is no timerfd: late by up to a millisecond and more."""

    name = "gevent.sleep"

    def wait_until(self, time_s: float) -> None:
        """Let other greenlets run until then."""
        gevent.sleep(max(time_s - time.monotonic(), 0.0))


def open_timer() -> Timer:
    """The best timer of this machine."""
    try:
        return TimerFd()
    except (OSError, AttributeError, TypeError):  # no timerfd_create in its C library, or one that is forbidden here
        return SleepTimer()
