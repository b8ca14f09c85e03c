"""The run directory: what each stage writes and the next one reads.

scenario.yaml        the resolved scenario
measurements.json    everything measured but the samples, complete or not
samples.npz          one row per planned request
progress.jsonl       what the run told as it went, one event a line (`harness.events`)
bundle/              the compressed bundle that was served
load/                the plan, the histograms, the generator's log, and machine.jsonl, the machine second by second
min-qps/             the same of the load test at `sla.min_qps`, where the run itself offers less
capacity/            the same of each load test of the capacity search, by side, where the scenario asks for one
result.json, report.html, summary.md    what judging and rendering made of it
junit.xml, metrics.prom, openslo.yaml, badge.svg    what other tools read of it
SHA256SUMS           of all these but progress.jsonl, for `harness verify`, `sha256sum -c`, and to sign

A capacity search has points/ in place of load/ and samples.npz, a folder per load test, and capacity.json, .html, .md;
a comparison has compare.json, .html, .md. A bench has bench.json, .html, .md and nothing else.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from harness.bundle import Bundle
from harness.cache import key_of
from harness.errors import HarnessError, UsageError
from harness.records import Measurements, Record, Report
from harness.samples import Samples
from harness.scenario import Scenario, dump_yaml, from_resolved, resolved

R = TypeVar("R", bound=Record)
SAVED_FORMATS = ("json", "markdown", "html")
EXTRACTS = ("junit", "openmetrics", "openslo", "badge")


@dataclass(frozen=True)
class RunDir:
    """One run's files."""

    path: Path

    @classmethod
    def create(cls, root: Path, scenario: Scenario, kind: str = "") -> RunDir:
        """A new directory named by scenario, kind, time and digest of the resolved scenario: no two runs share one."""
        run_dir = cls.named(root, scenario.name, kind, resolved(scenario))
        run_dir.save_scenario(scenario)
        return run_dir

    @classmethod
    def named(cls, root: Path, name: str, kind: str, what: Mapping[str, Any]) -> RunDir:
        """A new directory named by name, kind, time and the digest of what was asked."""
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
        base = "-".join(filter(None, (name, kind, stamp, key_of(what)[:8])))
        for attempt in range(100):
            path = root / (f"{base}-{attempt}" if attempt else base)
            try:
                path.mkdir(parents=True)
            except FileExistsError:
                continue
            except OSError as error:
                raise HarnessError(
                    f"can't create the run directory: {error.strerror or error}",
                    where=str(path),
                    remedy="choose another folder with --out",
                ) from error
            return cls(path)
        raise HarnessError("too many runs in one second", where=str(root / base), remedy="run again")

    def write(self, name: str, text: str) -> None:
        """Write one file whole: a full disk leaves the old one in place and raises a HarnessError."""
        target, partial = self.path / name, self.path / f".{name}.partial"
        try:
            partial.write_text(text, encoding="utf-8")
            partial.replace(target)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise HarnessError(
                f"can't write: {error.strerror or error}", where=str(target), remedy="free some space on that disk"
            ) from error

    def save_scenario(self, scenario: Scenario) -> None:
        """Write scenario.yaml, all defaults written out."""
        self.write("scenario.yaml", dump_yaml(resolved(scenario)))

    def save_measurements(self, measurements: Measurements) -> None:
        """Write measurements.json."""
        self.write("measurements.json", measurements.model_dump_json(indent=1))

    def keep_bundle(self, bundle: Bundle) -> None:
        """Copy the served bundle, so that the run directory is all one needs to deploy or serve it again."""
        try:
            shutil.copytree(bundle.path, self.path / "bundle", dirs_exist_ok=True)
        except (OSError, shutil.Error) as error:
            raise HarnessError(
                f"can't keep the bundle: {error}", where=str(self.path), remedy="free some space on that disk"
            ) from error

    def scenario(self) -> Scenario:
        """The scenario as it was run."""
        return from_resolved(self.measurements().scenario)

    def measurements(self) -> Measurements:
        """What was measured; UsageError where this is not a run directory."""
        return self._read("measurements.json", Measurements)

    def report(self) -> Report:
        """The judged report; UsageError where the run was never judged."""
        return self._read("result.json", Report)

    def samples(self) -> Samples | None:
        """The samples, or None where the run ended before its load test."""
        for file in (self.path / "samples.npz", self.path / "load" / "samples.npz"):
            if file.is_file():
                return Samples.load(file)
        return None

    def samples_at_min_qps(self) -> Samples | None:
        """The samples of the load test at `sla.min_qps`, or None where the run has none."""
        file = self.path / "min-qps" / "samples.npz"
        return Samples.load(file) if file.is_file() else None

    def _read(self, name: str, model: type[R]) -> R:
        file = self.path / name
        try:
            return model.model_validate_json(file.read_bytes())
        except OSError as error:
            raise UsageError(
                f"not a run directory: no readable {name}",
                where=str(self.path),
                remedy="name a folder that `harness run` has written, such as results/quickstart-...",
            ) from error
        except ValidationError as error:
            raise UsageError(
                f"damaged {name}: {error.errors()[0]['msg']}", where=str(file), remedy="run the scenario again"
            ) from error
