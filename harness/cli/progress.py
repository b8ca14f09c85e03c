"""Progress to stderr: a live screen on a terminal, plain lines elsewhere, JSON lines beside a result in JSON."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import click

from harness.cli.time_left import TimeLeft
from harness.events import Count, Event, LoadProgress, Progress, StageStarted, to_data
from harness.printable import printable

_REPEAT_S = 5.0


@contextmanager
def reporter(*, quiet: bool, as_json: bool = False) -> Iterator[Progress]:
    """What takes progress, by where stderr goes; JSON lines there where the result is JSON too."""
    if quiet:
        yield lambda _: None
    elif as_json:
        yield _JsonLines()
    elif sys.stderr.isatty():
        from harness.cli.live import live_screen

        with live_screen() as screen:
            yield screen
    else:
        yield _Lines()


class _JsonLines:
    """One object a line, as `harness.events.to_data` has it."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def __call__(self, event: str | Event) -> None:
        click.echo(json.dumps(to_data(event, time.monotonic() - self._started)), err=True)


class _Lines:
    """Plain lines with the time, and with what is left as a stage begins.

    What counts, and where a load test is, is said at most every few seconds.
    """

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._said_s = 0.0
        self._time_left = TimeLeft()

    def __call__(self, event: str | Event) -> None:
        now, left = time.monotonic(), ""
        self._time_left.take(event, now)
        if isinstance(event, StageStarted):
            self._said_s = 0.0
            estimate = self._time_left.at(now)
            left = f"  ({estimate})" if estimate is not None else ""
        if isinstance(event, Count) or (isinstance(event, LoadProgress) and not event.done):
            if now - self._said_s < _REPEAT_S:
                return
            self._said_s = now
        click.echo(f"{now - self._started:7.1f} s  {printable(str(event))}{left}", err=True)
