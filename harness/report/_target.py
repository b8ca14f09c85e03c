"""What a report says of one target: its name in words, its percentiles, its times inside the server, its size."""

from __future__ import annotations

import math
from dataclasses import dataclass

from harness.records import COMPRESSED, TARGET, TEACHER, LedgerRow, Report, TargetInfo, TargetMeasure

__all__ = ["COMPRESSED", "TARGET", "TEACHER", "Target", "engine_us", "is_compressed", "judged", "subject", "target"]


@dataclass(frozen=True)
class Target:
    """One side of the comparison, as far as the run got: load-test figures, what was served, its ledger row."""

    name: str
    measure: TargetMeasure | None
    info: TargetInfo | None
    row: LedgerRow | None

    def latency_ms(self, objective: str) -> float:
        """The latency percentile of an objective (`p99_ms`); NaN where it was not measured."""
        return self.measure.latency_ms.get(objective.removesuffix("_ms"), math.nan) if self.measure else math.nan

    def server(self, key: str) -> float:
        """A figure the server gave of itself, such as `engine_us_p50`; NaN where it gave none."""
        for source in (self.measure, self.info):
            if source is not None and key in source.server:
                return source.server[key]
        return math.nan

    @property
    def engine(self) -> str:
        """Name of the engine that served it."""
        return (self.info and self.info.engine) or (self.measure and self.measure.engine) or ""

    @property
    def disk_bytes(self) -> float:
        """Bytes of the canonical artefact, the same measure for every target; else of the served artefact."""
        if self.row is not None and self.row.size.disk_bytes:
            return self.row.size.disk_bytes
        return self._served("size_mb") * 1e6

    @property
    def memory_mb(self) -> float:
        """Resident memory of one server process, in 10^6 bytes."""
        return self._served("memory_mb")

    @property
    def ndcg(self) -> float:
        """Mean NDCG on the test split."""
        return self.row.quality.ndcg if self.row is not None else math.nan

    def _served(self, key: str) -> float:
        values = (getattr(source, key) for source in (self.measure, self.info) if source is not None)
        return next((value for value in values if not math.isnan(value)), math.nan)


def target(report: Report, name: str) -> Target | None:
    """The named target, or None where the run has nothing of it."""
    found = Target(
        name=name,
        measure=report.measure(name),
        info=next((info for info in report.measurements.targets if info.target == name), None),
        row=_row(report.measurements.ledger, name),
    )
    return found if (found.measure or found.info or found.row) else None


def subject(report: Report) -> str:
    """Name of what the SLA is about: the scenario's target, or the compressed ranker."""
    return TARGET if report.measurements.scenario.get("target") else COMPRESSED


def judged(report: Report) -> Target | None:
    """The target that the SLA is about; where the recipe is empty it is the teacher behind the scenario's engine."""
    return target(report, subject(report))


def is_compressed(ledger: tuple[LedgerRow, ...]) -> bool:
    """True where the recipe has made another model of the teacher, whose row is the ledger's first."""
    return bool(ledger) and ledger[-1].digest != ledger[0].digest


def engine_us(before: Target, after: Target) -> tuple[float, float]:
    """Median engine times of two targets from one source: the servers, else the interleaved timing of the ledger."""
    served = before.server("engine_us_p50"), after.server("engine_us_p50")
    if not any(math.isnan(value) for value in served):
        return served
    timed = tuple(side.row.engine_us if side.row else math.nan for side in (before, after))
    return (timed[0], timed[1]) if not any(math.isnan(value) for value in timed) else served


def _row(ledger: tuple[LedgerRow, ...], name: str) -> LedgerRow | None:
    return ledger[0 if name == TEACHER else -1] if ledger else None
