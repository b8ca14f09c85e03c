"""Latency over the time of the load test, with the seconds that raised a finding and the requests that were lost."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from harness.records import Finding, MachineLog, MachineMeasure, Report, Spread
from harness.report._charts.chart import DOUBT, INK, LIMIT, SHEET, Chart, Layer, labels, layer, tips
from harness.report._charts.intervals import Interval, cut, interval_s, since_start_s
from harness.report._charts.latency import latency_limits
from harness.report._charts.over_time import CAPTION, in_words, lines, time_axis
from harness.samples import Samples


def latency_over_time(report: Report, samples: Samples) -> Chart | None:
    """p50 and p99 of each interval; None where nothing was answered."""
    judged = samples.where(samples.in_window)
    due_s = since_start_s(judged, report.measurements.load)
    found = cut(judged, due_s, judged.latency_ms)
    if all(math.isinf(one.p50) for one in found):
        return None
    limits, bands = latency_limits(report), list(_bands(report))
    drawn, hover = lines(found, "latency from the due time, ms", limits)
    return Chart(
        name="timeline",
        title="Latency over time",
        words=f"{in_words(found)} {_said(report, bands)}",
        layers=(*_marked(bands), *drawn, *_lost(found)),
        hover=hover,
        caption=f"{CAPTION.format(interval_s(due_s))} {_said(report, bands)}",
    )


def _bands(report: Report) -> Iterator[dict[str, Any]]:
    """Stretches of the machine's log over the thresholds of the same findings; a name where it first holds."""
    load = report.measurements.load
    if load is None or load.machine is None or not load.segment_start_s:
        return
    log, start_s, told = load.machine, load.segment_start_s[0], set[str]()
    over = _findings_by_row(report, log)
    for names, rows in groupby(range(len(over)), key=over.__getitem__):
        if names:
            first, *_, last = [*rows] * 2
            begin_s = log.end_s[first] - log.duration_s[first] - start_s
            label = ", ".join(name for name in names if name not in told)
            told.update(names)
            yield {"s": begin_s, "end": log.end_s[last] - start_s, "finding": ", ".join(names), "label": label}


def _findings_by_row(report: Report, log: MachineLog) -> list[tuple[str, ...]]:
    """For each row of the log the names of the findings whose threshold it is over."""
    rows: dict[str, set[int]] = {}
    for finding in report.verdict.findings:
        measure = report.measure(finding.target)
        over = _over(finding, log, measure.machine) if measure else []
        rows.setdefault(finding.name, set()).update(row for row, is_over in enumerate(over) if is_over)
    return [tuple(name for name, own in rows.items() if row in own) for row in range(len(log.end_s))]


def _over(finding: Finding, log: MachineLog, machine: MachineMeasure) -> list[bool]:
    """Which rows of the log are over the finding's threshold; empty where it is not about the machine."""
    columns = {
        "steal": log.steal_share,
        "foreign": log.foreign_share,
        **{f"{resource}_pressure": shares for resource, shares in log.pressure_share.items()},
    }
    for quantity, column in columns.items():
        spread: Spread = getattr(machine, quantity)
        if spread.mean == finding.figure:
            return [share > finding.threshold for share in column]
    if finding.name == "throttled":
        return [share > 0 for share in log.throttled_share]
    if finding.name == "generator-busy":
        return [max(shares) > finding.threshold for shares in zip(*log.generator_cpu_share, strict=True)]
    return []


def _marked(bands: list[dict[str, Any]]) -> tuple[Layer, ...]:
    if not bands:
        return ()
    named = [band for band in bands if band["label"]]
    text = {"align": "left", "baseline": "top", "dx": 4, "color": INK, "fontWeight": 600}
    below = [
        labels([band], text | {"dy": 4 + 16 * line}, x=time_axis(), y={"value": 0}) for line, band in enumerate(named)
    ]
    rect = {"type": "rect", "color": DOUBT, "opacity": 0.28}
    return (
        layer(bands, rect, x=time_axis(), x2={"field": "end"}, tooltip=tips(finding="finding")),
        *(part for label in below for part in label),
    )


def _lost(found: list[Interval]) -> tuple[Layer, ...]:
    rows = [
        {"s": one.at_s, "target": one.target, "lost": f"{one.n_lost:,} of {one.n:,}"} for one in found if one.n_lost
    ]
    if not rows:
        return ()
    point = {
        "type": "point",
        "shape": "triangle-down",
        "filled": True,
        "color": LIMIT,
        "size": 90,
        "stroke": SHEET,
        "opacity": 1,
    }
    under = tips(target="ranker", lost="not answered")
    return (layer(rows, point, x=time_axis(), y={"value": 5}, tooltip=under),)


def _said(report: Report, bands: list[dict[str, Any]]) -> str:
    marked = [name for band in bands if band["label"] for name in band["label"].split(", ")]
    others = dict.fromkeys(f.name for f in report.verdict.findings if f.hard and f.name not in marked)
    parts = [
        f"Shaded: seconds over the threshold of {', '.join(marked)}." if marked else "",
        f"Not of single seconds: {', '.join(others)}." if others else "",
        "Triangles at the top: requests that failed or were never sent.",
    ]
    return " ".join(part for part in parts if part)
