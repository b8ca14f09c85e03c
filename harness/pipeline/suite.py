"""A suite's own page: one comparison of several runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from harness import registry
from harness.errors import HarnessError
from harness.pipeline.run_dir import RunDir
from harness.records import Report


def save_suite(runs: Sequence[RunDir], out: Path, name: str) -> list[Path]:
    """Write the comparison of finished runs beside their directories, in the formats that have a file."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    reports = [run.report() for run in runs]
    written = []
    for suffix, text in suite_renderings(reports).items():
        path = out / f"{name}-{stamp}{suffix}"
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise HarnessError(
                f"can't write: {error.strerror or error}",
                where=str(path),
                remedy="free some space; the runs are kept, and `harness report RUN_DIR...` compares them",
            ) from error
        written.append(path)
    return written


def suite_renderings(reports: list[Report]) -> dict[str, str]:
    """Ending of the file name -> text of everything that is published of a suite."""
    formats = [registry.report_format(name) for name in ("html", "markdown", "json")]
    junit = registry.extract("junit")
    return {
        **{Path(plugin.SUFFIX).suffix: plugin.render_suite(reports) for plugin in formats},
        Path(junit.SUFFIX).suffix: junit.render(reports),
    }
