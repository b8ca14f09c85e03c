"""What every format shows of one run, in the order a reader needs it."""

from __future__ import annotations

from dataclasses import dataclass

from harness.records import Finding, Report, TargetCapacity, VerdictStatus
from harness.report import _audits, _bought, _calibration, _capacity, _facts, _ledger, _objectives, _quality
from harness.report import _numbers as numbers
from harness.report._findings import said
from harness.report._sentence import headline, sentence
from harness.report._table import Cell, Table
from harness.report._target import COMPRESSED, TEACHER, is_compressed
from harness.report._validity import Trust, trust

LATENCY_TIMED = "Latency runs from the time a request was due."


@dataclass(frozen=True)
class View:
    """A report in words and tables; `alarm` is empty for a complete run; `timed` says what times are of."""

    name: str
    description: str
    status: VerdictStatus
    alarm: str
    sentence: str
    objectives: Table
    bought: Table
    highlights: tuple[tuple[Cell, ...], ...]
    ledger: Table
    quality: Table
    audits: Table
    searches: tuple[Table, ...]
    remarks: tuple[str, ...]
    trust: tuple[Trust, ...]
    findings: tuple[Finding, ...]
    facts: tuple[Table, ...]
    scenario: str
    command: str
    timed: str = LATENCY_TIMED


def view(report: Report) -> View:
    """The view of a report."""
    run, bought, main = report.measurements, _bought.table(report), headline(report)
    return View(
        name=report.name,
        description=str(run.scenario.get("description") or "").strip(),
        status=report.verdict.status,
        alarm=_alarm(report),
        sentence=sentence(report),
        objectives=_objectives.table(report.verdict, run.ndcg, _calibration.beside_the_sla(report)),
        bought=bought,
        highlights=_bought.highlights(bought, main.name.removesuffix("_ms") if main else "p99"),
        ledger=_ledger.table(run.ledger, run.ndcg),
        quality=_quality.table(run.ledger, run.ndcg),
        audits=_audits.table(run.audits, run.ndcg),
        searches=tuple(_search(found, report) for found in report.capacities),
        remarks=_ledger.remarks(run.ledger, run.ndcg),
        trust=trust(report),
        findings=_findings(report),
        facts=_facts.tables(run, report.measures),
        scenario=_facts.scenario_yaml(run),
        command=run.command,
    )


def _search(found: TargetCapacity, report: Report) -> Table:
    """The load tests behind the capacity of one side."""
    engine = next((m.engine for m in report.measures if m.target == found.target), "") or numbers.NOTHING
    name = {TEACHER: "teacher", COMPRESSED: "compressed ranker"}.get(found.target, found.target)
    if report.measurements.ledger and not is_compressed(report.measurements.ledger):
        name = "ranker"
    return _capacity.table(found, f"Capacity of the {name} behind {engine}")


def _findings(report: Report) -> tuple[Finding, ...]:
    """The verdict's, those that stages raised in a run that was never judged, and those of its searches; each once."""
    searched = (finding for capacity in report.capacities for finding in capacity.findings)
    found = (*report.verdict.findings, *report.measurements.findings, *searched)
    return tuple({(finding.name, finding.target, finding.message): said(finding) for finding in found}.values())


def weight(finding: Finding) -> str:
    """What a finding does to the verdict; empty for one that is only to be known."""
    if finding.fails:
        return "makes the run FAIL"
    return "makes the run INVALID" if finding.hard else ""


def _alarm(report: Report) -> str:
    run = report.measurements
    if run.complete:
        return ""
    return f"Incomplete run: {run.failure or 'it ended before its last stage'}. Shown is what it had measured."
