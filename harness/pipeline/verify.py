"""Is what was published true to what was measured? Everything is made again from a run's files and compared."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from harness import __version__
from harness.errors import HarnessError, ScenarioError, UsageError
from harness.pipeline.differing import facts_differ, records_differ
from harness.pipeline.digests import SUMS, changes, digests_of, read_sums
from harness.pipeline.publishing import judged, published_names, renderings
from harness.pipeline.rejudge import judged_study
from harness.pipeline.run_dir import RunDir
from harness.pipeline.studies import KINDS, read_study, study_renderings
from harness.pipeline.suite import suite_renderings
from harness.records import Report
from harness.scenario import from_resolved, resolved
from harness.studies import Study
from harness.suite import Suite, suite_of

_NAMED = 3
_NO_DIGESTS = f"no {SUMS}: whether its files were changed since is not known, and its pages are not compared"
_PAGES_LEFT = "its pages are not compared"
_DRAWING = re.compile(r"<svg\b.*?</svg>", re.DOTALL)
"""Still pictures hang on the fonts of the machine; what they are drawn from stands in the page too."""
_ELEMENT = re.compile(r"<(\w+)")


@dataclass(frozen=True)
class Verification:
    """What was found of one run directory, study or suite: `faults` make it untrue, `notes` are to be known."""

    path: Path
    faults: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def true(self) -> bool:
        """Whether nothing contradicts what was published."""
        return not self.faults


def verify(path: Path) -> list[Verification]:
    """Verify a run directory, a suite's JSON file, or all of them in a folder. UsageError where there is none."""
    if path.is_file():
        return [_suite(path)]
    if _is_run(path):
        return [_run_dir(RunDir(path))]
    inside = sorted(path.iterdir()) if path.is_dir() else []
    found = [_run_dir(RunDir(one)) for one in inside if one.is_dir() and _is_run(one)]
    found += [_suite(one) for one in inside if one.suffix == ".json" and _is_suite(one)]
    if not found:
        raise UsageError(
            "nothing to verify here",
            where=str(path),
            remedy="name a run directory, a folder of them, or a suite's .json",
        )
    return found


def _is_run(path: Path) -> bool:
    """Whether a run or study is, or was, here: one whose records are gone is not passed over."""
    records = (f"{name}.json" for name in ("result", "measurements", *KINDS))
    return any((path / name).is_file() for name in (*records, SUMS, "report.html"))


def _is_suite(path: Path) -> bool:
    try:
        return bool(Suite.model_validate_json(path.read_bytes()).reports)
    except (OSError, ValidationError):
        return False


def _run_dir(run_dir: RunDir) -> Verification:
    listed = read_sums(run_dir.path / SUMS)
    faults, notes = _changed_files(listed, digests_of(run_dir), SUMS) if listed else ([], [_NO_DIGESTS])
    try:
        study = read_study(run_dir)
        said: Report | Study = study if study is not None else run_dir.report()
        if said.measurements.tool_version != __version__:
            notes.append(f"made by harness {said.measurements.tool_version}, this is {__version__}: {_PAGES_LEFT}")
        faults += _study(run_dir, study) if study is not None else _report(run_dir, run_dir.report())
    except HarnessError as error:
        faults.append(f"{error.what} ({error.where})" if error.where else error.what)
    return Verification(run_dir.path, tuple(dict.fromkeys(faults)), tuple(notes))


def _changed_files(then: Mapping[str, str], now: Mapping[str, str], source: str) -> tuple[list[str], list[str]]:
    """Faults: changed files. Notes: files that went or came, for what judging needs of them it misses itself."""
    found = changes(then, now)
    faults = [f"{name}: changed since {source} was made" for name, what in found.items() if what == "changed"]
    notes = []
    for what in ("missing", "added"):
        names = [name for name, became in found.items() if became == what]
        if names:
            more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
            notes.append(f"{what} since {source} was made: {', '.join(names[:_NAMED])}{more}")
    return faults, notes


def _report(run_dir: RunDir, said: Report) -> Iterator[str]:
    now = digests_of(run_dir, but=published_names())
    yield from _changed_files(said.made_of, now, "the report")[0]
    for line in records_differ(said.measurements, run_dir.measurements(), "measurements.json says"):
        yield f"result.json: {line}"
    yield from _scenario(run_dir)
    again = judged(run_dir).model_copy(update={"run": said.run, "made_of": said.made_of})
    if said.verdict.status != again.verdict.status:
        yield f"result.json: the verdict says {said.verdict.status}, the samples give {again.verdict.status}"
    for line in records_differ(said.verdict, again.verdict, "the samples give", but=("status",)):
        yield f"result.json: verdict: {line}"
    for line in records_differ(said, again, "the samples give", but=("measurements.", "verdict.")):
        yield f"result.json: {line}"
    if said.made_of and said.measurements.tool_version == __version__:
        yield from _pages(run_dir, renderings(run_dir, said))


def _study(run_dir: RunDir, said: Study) -> Iterator[str]:
    again = judged_study(run_dir, said).model_copy(update={"run": said.run})
    yield from _scenario(run_dir)
    for line in records_differ(said, again, "the samples give"):
        yield f"{said.kind}.json: {line}"
    if (run_dir.path / SUMS).is_file() and said.measurements.tool_version == __version__:
        yield from _pages(run_dir, study_renderings(said))


def _scenario(run_dir: RunDir) -> Iterator[str]:
    """scenario.yaml against the scenario that the measurements hold."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    file = run_dir.path / "scenario.yaml"
    if not file.is_file() or not (run_dir.path / "measurements.json").is_file():
        return
    try:
        said = YAML(typ="safe").load(file.read_text(encoding="utf-8"))
        asked = resolved(from_resolved(said))  # with the defaults of keys that are newer than the run
    except (OSError, UnicodeDecodeError, YAMLError, TypeError, ScenarioError):
        yield "scenario.yaml: is no scenario"
        return
    for line in facts_differ(asked, resolved(run_dir.scenario()), "was measured with"):
        yield f"scenario.yaml: {line}"


def _pages(run_dir: RunDir, expected: Mapping[str, str]) -> Iterator[str]:
    """Published texts against those made anew; JSON was compared by value before."""
    for name, text in expected.items():
        if name.endswith(".json"):
            continue
        try:
            published = (run_dir.path / name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            yield f"{name}: missing, or no text"
            continue
        if _compared(name, published) != _compared(name, text):
            yield f"{name}: is not what its files give"


def _compared(name: str, text: str) -> str:
    return _DRAWING.sub(_kinds_of_elements, text) if name.endswith(".html") else text


def _kinds_of_elements(drawing: re.Match[str]) -> str:
    """What stands for a still picture: that it is there, and holds nothing but what is drawn."""
    return f"<svg>{sorted(set(_ELEMENT.findall(drawing[0])))}</svg>"


def _suite(path: Path) -> Verification:
    """A suite's page against the reports of its runs, beside it."""
    try:
        said = Suite.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise UsageError(
            "not the JSON file of a suite", where=str(path), remedy="name what `harness run` wrote beside its runs"
        ) from error
    faults: list[str] = []
    for report in said.reports:
        run_dir = RunDir(path.parent / report.run)
        try:
            differing = records_differ(report, run_dir.report(), "its result.json says")
            faults += [f"{path.name}: {report.run}: {line}" for line in differing]
        except HarnessError as error:
            faults.append(f"{report.run}: {error.what}")
    versions = {report.measurements.tool_version for report in said.reports}
    if versions <= {__version__}:
        again = suite_of(list(said.reports))
        faults += [f"{path.name}: {line}" for line in records_differ(said, again, "its runs give", but=("reports.",))]
        texts = suite_renderings(list(said.reports))
        faults += _pages(RunDir(path.parent), {path.with_suffix(suffix).name: text for suffix, text in texts.items()})
    return Verification(path, tuple(faults))
