"""A suite's own page: one comparison of several runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from harness import registry
from harness.errors import HarnessError
from harness.pipeline.run_dir import RunDir


def save_suite(runs: Sequence[RunDir], out: Path, name: str) -> list[Path]:
    """Write the comparison of finished runs beside their directories, in the formats that have a file."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    reports = [run.report() for run in runs]
    written = []
    for format_name in ("html", "markdown", "json"):
        plugin = registry.report_format(format_name)
        path = out / f"{name}-{stamp}.{plugin.SUFFIX.rpartition('.')[2]}"
        try:
            path.write_text(plugin.render_suite(reports), encoding="utf-8")
        except OSError as error:
            raise HarnessError(
                f"can't write: {error.strerror or error}",
                where=str(path),
                remedy="free some space; the runs are kept, and `harness report RUN_DIR...` compares them",
            ) from error
        written.append(path)
    return written
