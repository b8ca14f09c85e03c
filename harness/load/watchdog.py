"""A load process watching itself: its share of a core, second by second, and how late its loop runs."""

from __future__ import annotations

import time
from collections.abc import Callable

import gevent
from gevent.pool import Group

_SECOND_S = 1.0
_TICK_S = 0.02


class Watchdog:
    """Two greenlets that look on while requests are sent.

    cpu_shares: CPU time per second of wall time; loop_lag_ms_max: how late a timer of the loop was at most while
    `judged()` held. Such timers round up to a whole millisecond, which is therefore what an idle loop shows.
    """

    def __init__(self, judged: Callable[[], bool]) -> None:
        self.cpu_shares: list[float] = []
        self.loop_lag_ms_max = float("nan")
        self._judged = judged
        self._greenlets = Group()

    def start(self) -> None:
        """Begin to look on."""
        self._greenlets.spawn(self._watch_cpu)
        self._greenlets.spawn(self._watch_loop)

    def stop(self) -> None:
        """Look away."""
        self._greenlets.kill(block=False)

    def _watch_cpu(self) -> None:
        wall_s, cpu_s = time.monotonic(), time.process_time()
        while True:
            gevent.sleep(_SECOND_S)
            now_s, used_s = time.monotonic(), time.process_time()
            self.cpu_shares.append((used_s - cpu_s) / (now_s - wall_s))
            wall_s, cpu_s = now_s, used_s

    def _watch_loop(self) -> None:
        while True:
            due_s = time.monotonic() + _TICK_S
            gevent.sleep(_TICK_S)
            lag_ms = (time.monotonic() - due_s) * 1e3
            if self._judged() and not lag_ms <= self.loop_lag_ms_max:
                self.loop_lag_ms_max = lag_ms
