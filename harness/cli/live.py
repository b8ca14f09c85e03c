"""The live screen: finished stages with their times, the one that runs, latency against the SLA, and the time left."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from harness.cli.scene import Scene, Stage
from harness.events import Event, LoadProgress, ScenarioDone, duration, milliseconds
from harness.printable import printable

_BAR = 24
_COLOURS = {"PASS": "green", "FAIL": "red", "INCONCLUSIVE": "yellow", "INVALID": "magenta", "failed": "red"}


@contextmanager
def live_screen(console: Console | None = None) -> Iterator[LiveScreen]:
    """A screen on stderr that is gone when it ends; verdicts of finished scenarios stay above it."""
    console = console or Console(stderr=True)
    screen = LiveScreen(console)
    with Live(console=console, get_renderable=screen.render, refresh_per_second=8, transient=True):
        yield screen


class LiveScreen:
    """Takes what a run tells, and draws what is known."""

    def __init__(self, console: Console) -> None:
        self._console, self._scene = console, Scene()
        self._began_s = time.monotonic()
        self._spinner = Spinner("dots")

    def __call__(self, event: str | Event) -> None:
        """Take an event or a line."""
        now_s = time.monotonic()
        began_s = self._scene.began_s
        self._scene.take(event, now_s)
        if isinstance(event, ScenarioDone):
            self._console.print(_verdict(event, None if event.reused else now_s - began_s))

    def render(self) -> RenderableType:
        """All of it, as it is now."""
        now_s, scene = time.monotonic(), self._scene
        parts: list[RenderableType] = [self._head(now_s)]
        if scene.stages:
            parts.append(self._stages(now_s))
        if scene.line:
            parts.append(Padding(Text(printable(scene.line), style="dim"), (0, 0, 0, 2)))
        if scene.load is not None:
            parts.append(_load(scene.load, scene.plan.limits_ms if scene.plan is not None else {}))
        return Group(*parts)

    def _head(self, now_s: float) -> Text:
        scene = self._scene
        number = f"[{min(len(scene.done) + 1, scene.n_scenarios)}/{scene.n_scenarios}] "
        head = Text(f"{number if scene.n_scenarios > 1 else ''}{printable(scene.name)}", style="bold")
        estimate = scene.time_left.at(now_s)
        left = f", {estimate}" if estimate is not None else ""
        return head.append(f"  {duration(now_s - self._began_s)} passed{left}", style="not bold")

    def _stages(self, now_s: float) -> Table:
        table = Table.grid(padding=(0, 2))
        table.add_column(width=1)
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True)
        for stage in self._scene.stages:
            mark: RenderableType = Text("✓" if stage.took_s is not None else "·")
            running = stage.began_s is not None and stage.took_s is None
            table.add_row(self._spinner if running else mark, Text(printable(stage.name)), _time(stage, now_s))
        return table


def _time(stage: Stage, now_s: float) -> Text:
    about = "" if stage.expected_s is None else f"about {duration(stage.expected_s)}"
    if stage.took_s is not None:
        return Text(f"{duration(stage.took_s)}{', from the cache' if stage.cached else ''}")
    if stage.began_s is not None:
        return Text(f"{duration(now_s - stage.began_s)}{f' of {about}' if about else ''}")
    return Text(f"{about or 'not known'}{', in the cache' if stage.cached else ''}", style="dim")


def _load(load: LoadProgress, limits_ms: dict[str, float]) -> RenderableType:
    """The segment that runs, and the percentiles so far beside the limits that the SLA sets them."""
    where = Table.grid(padding=(0, 2))
    answered = f"{load.n_ok} of {load.n_due} answered"
    bar = ProgressBar(total=load.of_s, completed=load.passed_s, width=_BAR)
    title = f"  {load.target}, round {load.round}/{load.n_rounds}"
    where.add_row(Text(printable(title)), bar, Text(f"{load.passed_s:.0f}/{load.of_s:.0f} s"), Text(answered))
    table = Table.grid(padding=(0, 2))
    for name in sorted({"p50", "p99", *limits_ms}, key=lambda name: float(f"0.{name[1:]}")):
        if name in load.latency_ms:
            table.add_row(Text(f"  {name}"), Text(milliseconds(load.latency_ms[name])), _against(load, name, limits_ms))
    if not load.latency_ms:
        table.add_row(Text("  warm-up", style="dim"))
    return Group(where, table)


def _against(load: LoadProgress, name: str, limits_ms: dict[str, float]) -> Text:
    if name not in limits_ms:
        return Text("")
    value, limit = load.latency_ms[name], limits_ms[name]
    over = value is None or value > limit
    word = "over" if over else "within"
    return Text(f"{word} the {limit:g} ms of the SLA so far", style="red" if over else "green")


def _verdict(done: ScenarioDone, took_s: float | None) -> Text:
    text = Text(f"{done.status:13}", style=_COLOURS.get(done.status, ""))
    after = "finished before" if took_s is None else duration(took_s)
    return text.append(f"{printable(done.name)}  {after}", style="default")
