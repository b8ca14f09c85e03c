"""Send finished runs to trackers. One that fails loses nothing: the run lies in its directory, to be sent again."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout

from harness import registry
from harness.access import without_credentials
from harness.errors import HarnessError, SinkError
from harness.pipeline.run_dir import RunDir
from harness.protocols import Publication

_ATTACHED = ("report.html", "result.json", "summary.md")


def publish_to(sink: str, run_dir: RunDir) -> str:
    """Send one finished run; says where it went. Raises SinkError, whose text holds no credential.

    What a tracker's library prints goes to stderr.
    """
    plugin = registry.sink(sink)
    files = tuple(file for name in _ATTACHED if (file := run_dir.path / name).is_file())
    publication = Publication(run_dir.report(), run_dir.samples(), run_dir.path, files)
    try:
        with redirect_stdout(sys.stderr):
            return without_credentials(plugin.publish(publication), os.environ)
    except HarnessError as error:
        what, remedy = error.what, error.remedy
    except Exception as error:  # noqa: BLE001  (whatever the tracker's library raises)
        what, remedy = f"{type(error).__name__}: {error}", ""
    again = f"the run is kept; send it again with `harness publish {run_dir.path} --to {sink}`"
    raise SinkError(
        without_credentials(what, os.environ),
        where=f"{run_dir.path.name} to {sink}",
        remedy=f"{remedy}; {again}" if remedy else again,
    )


def publish_all(sinks: Sequence[str], runs: Sequence[RunDir]) -> Iterator[str | SinkError]:
    """Send every run to every tracker: where each went, or why not; one failure keeps no other from being tried."""
    for run_dir in runs:
        for sink in sinks:
            try:
                yield f"{run_dir.path.name}: {sink}: {publish_to(sink, run_dir)}"
            except SinkError as error:
                yield error
