"""The noise floor of a machine: beside the SLA in one sentence, and as tables."""

from __future__ import annotations

import math

from harness.records import Calibration, Report
from harness.report import _numbers as numbers
from harness.report._table import Table

_PERCENTILES = {"p50": "p50", "p99": "p99", "p999": "p99.9"}


def beside_the_sla(report: Report) -> str:
    """How much of the highest latency limit is the harness's own; empty without a calibration or such a limit."""
    calibration = report.measurements.calibration
    limits = {result.name: result.limit for result in report.verdict.objectives if result.name.endswith("_ms")}
    if calibration is None or not limits:
        return ""
    objective, limit_ms = next(reversed(limits.items()))
    name = objective.removesuffix("_ms")
    name = name if name in calibration.measure.latency_ms else "p99"
    floor_ms = calibration.measure.latency_ms.get(name, math.nan)
    age = _age(calibration.age_days(report.measurements.created))
    return (
        f"Noise floor {name} {numbers.ms(floor_ms)}, {numbers.share(floor_ms / limit_ms)} of the SLA, "
        f"measured {age} the run against a server that does nothing."
    )


def table(calibration: Calibration) -> Table:
    """Percentiles of what was measured of the null server."""
    seen = calibration.measure
    rows = tuple(
        (label, *(numbers.ms(values.get(name, math.nan)) for name in _PERCENTILES))
        for label, values in (
            ("latency", seen.latency_ms),
            ("round trip", seen.round_trip_ms),
            ("send lag", seen.send_lag_ms),
        )
    )
    traffic = calibration.traffic
    note = (
        f"{numbers.figure(traffic.get('offered_qps', math.nan))} requests per second of "
        f"{numbers.size(calibration.request_bytes)}, {seen.n_planned:,} in all; generator busy "
        f"{numbers.share(seen.machine.generator_cpu_share_max)} of a core in its busiest second. One process is honest "
        f"(p99 send lag within {numbers.ms(calibration.send_lag_limit_ms)}) up to "
        f"{numbers.figure(calibration.honest_qps, 'requests per second')}. Measured {calibration.created}."
    )
    return Table("Noise floor", ("", *_PERCENTILES.values()), rows, note=note)


def rates(calibration: Calibration) -> Table:
    """Every rate that was tried, ascending."""
    rows = tuple(
        (
            numbers.figure(tried.offered_qps, "/s"),
            numbers.ms(tried.send_lag_ms_p99),
            numbers.share(tried.generator_cpu_share_max),
            f"{tried.n_lost:,}",
            "yes" if tried.honest else "no",
        )
        for tried in sorted(calibration.rates, key=lambda tried: tried.offered_qps)
    )
    return Table("Rates tried", ("offered", "p99 send lag", "generator CPU", "lost", "honest"), rows)


def _age(days: float) -> str:
    if days >= 1:
        return f"{days:.0f} day{'' if days < 1.5 else 's'} before"
    return f"{days * 24:.0f} hours before" if days * 24 >= 1 else "less than an hour before"
