"""What runs under way are doing, from the files they write."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from harness.events import Event, LoadProgress, ScenarioDone, ScenarioStarted, StageStarted, from_data
from harness.records import Record

PROGRESS = "progress.jsonl"
SILENT_S = 600.0
"""A run that tells nothing for longer is said to be silent: it may be building something large, or have been killed."""
_TAIL_BYTES, _HEAD_BYTES = 65_536, 65_536


class Live(Record):
    """A run under way.

    stage: the one that is on; line: the last that it told; told_s: how long ago; since_s: how long it runs; share: of
    the segment of the load test that is on, 0 to 1, and latency_ms of its target so far (None: not answered).
    """

    run: str
    name: str
    stage: str = ""
    line: str = ""
    told_s: float
    since_s: float
    silent: bool
    share: float | None = None
    latency_ms: dict[str, float | None]


def live_run(root: Path, folder: Path) -> Live | None:
    """What the run in `folder` does; None where it has ended, or has told nothing that can be read."""
    file = folder / PROGRESS
    try:
        about = file.stat()
        told = _told(file)
    except OSError:
        return None
    if not told or isinstance(told[-1][1], ScenarioDone):
        return None
    name, stage = folder.name, ""
    for _, event in told:
        match event:
            case ScenarioStarted():
                name = event.plan.name
            case StageStarted():
                stage = event.stage
    at_s, last = told[-1]
    told_s = max(time.time() - about.st_mtime, 0.0)
    load = last if isinstance(last, LoadProgress) else None
    stage = "load" if load else stage  # of a long load test only the end is read
    return Live(
        run=folder.relative_to(root).as_posix(),
        name=name,
        stage=stage,
        line=str(last),
        told_s=round(told_s, 1),
        since_s=round(at_s + told_s, 1),
        silent=told_s > SILENT_S,
        share=min(load.passed_s / load.of_s, 1.0) if load and load.of_s else None,
        latency_ms=dict(load.latency_ms) if load else {},
    )


def _told(file: Path) -> list[tuple[float, str | Event]]:
    """The first and the last of what a run told; a line that is cut or damaged is passed over."""
    with file.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
        stream.seek(0, os.SEEK_END)
        if stream.tell() > _HEAD_BYTES:
            stream.seek(max(stream.tell() - _TAIL_BYTES, _HEAD_BYTES))
            head += b"\n" + stream.read()
    found = []
    for line in head.splitlines():
        try:
            found.append(from_data(json.loads(line)))
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
    return found
