"""Publishing a study (capacity, comparison, bench): `<kind>.json`, `.md` and `.html` in its run directory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, cast

from pydantic import ValidationError

from harness import registry
from harness.errors import HarnessError, UsageError
from harness.pipeline.digests import write_sums
from harness.pipeline.run_dir import SAVED_FORMATS, RunDir
from harness.pipeline.state import RunState
from harness.studies import Bench, Capacity, Comparison, Study

KINDS: dict[str, type[Capacity] | type[Comparison] | type[Bench]] = {
    "capacity": Capacity,
    "compare": Comparison,
    "bench": Bench,
}
S = TypeVar("S", bound=Study)


def save_study(run_dir: RunDir, study: Study) -> None:
    """Keep what is known so far as `<kind>.json`; enough to judge and report it later."""
    run_dir.write(f"{study.kind}.json", study.model_dump_json())


def publish_study(run_dir: RunDir, study: S) -> S:
    """Write every saved format of a study, and the digests of all its files."""
    named = cast(S, study.model_copy(update={"run": run_dir.path.name}))
    for name, text in study_renderings(named).items():
        run_dir.write(name, text)
    write_sums(run_dir)
    return named


def study_renderings(study: Study) -> dict[str, str]:
    """File name -> text of everything that is published of a study."""
    plugins = [registry.report_format(name) for name in SAVED_FORMATS]
    return {f"{study.kind}{Path(plugin.SUFFIX).suffix}": plugin.render_study(study) for plugin in plugins}


def keep_study(state: RunState, error: BaseException, judged: Callable[[], S]) -> None:
    """Publish what there is of a study that `error` ended; a second failure does not hide the first."""
    try:
        state.fail(error)
        publish_study(state.run_dir, judged())
    except HarnessError as second:
        state.progress(f"could not write the report of the unfinished search: {second}")


def read_study(run_dir: RunDir) -> Study | None:
    """The study that a run directory holds, or None where it holds a run. UsageError where it is damaged."""
    for kind, record in KINDS.items():
        file = run_dir.path / f"{kind}.json"
        if file.is_file():
            try:
                return record.model_validate_json(file.read_bytes())
            except OSError as error:
                raise UsageError(
                    f"can't read: {error.strerror or error}", where=str(file), remedy="check your permissions"
                ) from error
            except ValidationError as error:
                raise UsageError(
                    f"damaged {file.name}: {error.errors()[0]['msg']}", where=str(file), remedy="measure it again"
                ) from error
    return None
