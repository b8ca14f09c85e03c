"""What a run tells, kept in its directory: one JSON object a line, to be followed while it runs and replayed later."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from pathlib import Path

from harness.events import Event, Progress, to_data
from harness.history.live import PROGRESS


class Recorder:
    """Passes on what a run tells, and writes it down with the seconds since the start."""

    def __init__(self, run_dir: Path, progress: Progress) -> None:
        self._file, self._progress = run_dir / PROGRESS, progress
        self._started = time.monotonic()

    def __call__(self, event: str | Event) -> None:
        """Take an event or a line. A full disk is told by whoever writes what was measured."""
        line = json.dumps(to_data(event, time.monotonic() - self._started))
        with suppress(OSError), self._file.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
        self._progress(event)
