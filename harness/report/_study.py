"""What every format shows of a study (a capacity search, a comparison, a bench) in the order a reader needs it."""

from __future__ import annotations

from dataclasses import dataclass

from harness.records import Finding, TargetMeasure
from harness.report import _bench, _capacity, _comparison, _facts
from harness.report._findings import said
from harness.report._table import Table
from harness.report._view import LATENCY_TIMED
from harness.studies import Bench, Capacity, Comparison, Study

_CALLS_TIMED = "Times are of single calls within one process, without a server or a network."
_KICKERS = {"capacity": "Capacity", "compare": "Comparison", "bench": "Engines"}


@dataclass(frozen=True)
class StudyView:
    """A study in words and tables; `alarm` is empty where it is complete; `timed` says what times are of."""

    kicker: str
    name: str
    alarm: str
    sentence: str
    tables: tuple[Table, ...]
    findings: tuple[Finding, ...]
    facts: tuple[Table, ...]
    scenario: str
    command: str
    timed: str


def study_view(study: Study) -> StudyView:
    """The view of a study."""
    run = study.measurements
    measures: tuple[TargetMeasure, ...] = ()
    tables: tuple[Table, ...]
    match study:
        case Capacity():
            sentence, tables = _capacity.sentence(study), (_capacity.table(study),)
        case Bench():
            sentence, tables = _bench.sentence(study), _bench.tables(study)
        case Comparison():
            sentence, tables, measures = _comparison.sentence(study), _comparison.tables(study), study.measures
    return StudyView(
        kicker=_KICKERS[study.kind],
        name=study.name,
        alarm="" if run.complete else f"Incomplete: {run.failure or 'it ended early'}. Shown is what was measured.",
        sentence=sentence,
        tables=tables,
        findings=tuple(said(finding) for finding in dict.fromkeys((*study.findings, *run.findings))),
        facts=_facts.tables(run, measures),
        scenario=_facts.scenario_yaml(run) if run.scenario else "",
        command=run.command,
        timed=_CALLS_TIMED if study.kind == "bench" else LATENCY_TIMED,
    )
