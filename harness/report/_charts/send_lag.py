"""Send lag over the time of the load test: how late the generator itself was."""

from __future__ import annotations

import math

from harness.records import Report
from harness.report._charts.chart import Chart
from harness.report._charts.intervals import cut, interval_s, since_start_s
from harness.report._charts.over_time import CAPTION, in_words, lines
from harness.samples import Samples

_WHAT = "Send lag is sent − due: it counts as latency, and as the generator’s fault where it is large."


def send_lag(report: Report, samples: Samples) -> Chart | None:
    """p50 and p99 of each interval, and what the finding `send-lag` allows where it was raised; None without sends."""
    judged = samples.where(samples.in_window)
    due_s = since_start_s(judged, report.measurements.load)
    found = cut(judged, due_s, judged.send_lag_ms)
    if not any(0 < one.p99 < math.inf for one in found):
        return None
    allowed = {f"{f.name}: p99": f.threshold for f in report.verdict.findings if f.name == "send-lag"}
    drawn, hover = lines(found, "send lag, ms", allowed)
    return Chart(
        name="send-lag",
        title="Send lag",
        words=in_words(found),
        layers=drawn,
        hover=hover,
        caption=f"{_WHAT} {CAPTION.format(interval_s(due_s))}",
        height=220,
    )
