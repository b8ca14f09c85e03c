"""Progress to stderr: one live line with a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.progress import Progress as Bars

_COUNT = re.compile(r"(\d+)/(\d+)")
_REPEAT_S = 5.0


class Reporter:
    """Callable with one line of progress; `3/10` in a line fills the bar."""

    def start(self, title: str) -> None:
        """Begin a scenario of a suite."""
        if title:
            self(title)

    def __call__(self, line: str) -> None:
        """Say one line; nothing here."""


class _Lines(Reporter):
    """Plain lines: counting lines of one kind at most every few seconds."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._kind, self._said = "", 0.0

    def __call__(self, line: str) -> None:
        now, kind = time.monotonic(), _COUNT.split(line)[0]
        if kind == self._kind and _COUNT.search(line) and now - self._said < _REPEAT_S:
            return
        self._kind, self._said = kind, now
        click.echo(f"{now - self._started:7.1f} s  {line}", err=True)


class _Live(Reporter):
    """A bar that shows the current line, and the lines of finished stages above it."""

    def __init__(self, bars: Bars) -> None:
        self._bars, self._kind = bars, ""
        self._task = bars.add_task("", total=None)

    def __call__(self, line: str) -> None:
        count = _COUNT.search(line)
        kind = _COUNT.split(line)[0]
        if kind != self._kind:
            self._kind = kind
            self._bars.reset(self._task, total=None)
        if count:
            self._bars.update(self._task, completed=int(count[1]), total=int(count[2]), description=line)
        else:
            self._bars.update(self._task, description=line)


@contextmanager
def reporter(*, quiet: bool) -> Iterator[Reporter]:
    """The reporter that fits where stderr goes."""
    if quiet:
        yield Reporter()
    elif sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        console = Console(stderr=True)
        columns = (SpinnerColumn(), BarColumn(bar_width=24), TimeElapsedColumn(), TextColumn("{task.description}"))
        with Progress(*columns, console=console, transient=True) as bars:
            yield _Live(bars)
    else:
        yield _Lines()
