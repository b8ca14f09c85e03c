"""The ledger as bars: NDCG lost, size and engine time after each step, its control thin below it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from harness.records import LedgerRow, NdcgSpec
from harness.report import _numbers as numbers
from harness.report import _svg as svg

_WIDTH, _NAMES, _GAP, _VALUE = 860.0, 150.0, 16.0, 66.0
_TOP, _ROW, _BAR, _THIN = 30.0, 44.0, 16.0, 7.0
_PANEL = (_WIDTH - _NAMES - 2 * _GAP) / 3


@dataclass(frozen=True)
class _Measure:
    title: str
    value: Callable[[LedgerRow], float]
    bound: Callable[[LedgerRow], float]
    shown: numbers.Shown


def ledger_bars(ledger: tuple[LedgerRow, ...], ndcg: NdcgSpec) -> str:
    """An <svg> with a row per step and a panel per measure; empty where there is nothing to compare."""
    if len(ledger) < 2:
        return ""
    measures = (
        _Measure(
            f"NDCG@{ndcg.k} lost, and at most",
            lambda row: row.quality.drop,
            lambda row: row.quality.drop_upper,
            numbers.quality,
        ),
        _Measure("size", lambda row: row.size.disk_bytes, lambda _: math.nan, numbers.size),
        _Measure("engine time, p50", lambda row: row.engine_us, lambda _: math.nan, numbers.us),
    )
    height = _TOP + _ROW * len(ledger)
    parts = [svg.text(0, _top(place) + 13, row.step, "label") for place, row in enumerate(ledger)]
    for column, measure in enumerate(measures):
        parts += _panel(measure, ledger, _NAMES + column * (_PANEL + _GAP))
    return svg.picture("ledger", _WIDTH, height, "What each step did", _in_words(ledger, measures), parts)


def _panel(measure: _Measure, ledger: tuple[LedgerRow, ...], left: float) -> Iterator[str]:
    rows = [row for step in ledger for row in (step, step.control) if row is not None]
    known = [v for row in rows for v in (measure.value(row), measure.bound(row)) if math.isfinite(v)]
    scale = (_PANEL - _VALUE) / max([*known, 1e-12])
    yield svg.text(left, 14, measure.title, "axis")
    yield svg.line(left, _TOP - 6, left, _TOP + _ROW * len(ledger) - 8, "grid")
    for place, row in enumerate(ledger):
        yield from _bar(measure, row, left, _top(place), _BAR, scale, "compressed-bar")
        if row.control is not None:
            yield from _bar(measure, row.control, left, _top(place) + _BAR + 4, _THIN, scale, "control-bar")


def _bar(
    measure: _Measure, row: LedgerRow, left: float, top: float, height: float, scale: float, css: str
) -> Iterator[str]:
    value, bound = measure.value(row), measure.bound(row)
    end = left + scale * max(value, 0.0) if math.isfinite(value) else left
    yield svg.bar(left, top, end - left, height, css)
    if math.isfinite(bound) and bound > max(value, 0.0):
        middle, stop = top + height / 2, left + scale * bound
        yield svg.line(end, middle, stop, middle, "bound")
        yield svg.line(stop, middle - height / 3, stop, middle + height / 3, "bound")
        end = stop
    label = measure.shown(value)
    yield svg.text(end + 6, top + height / 2 + 4, label, "value" if height == _BAR else "value small")


def _top(place: int) -> float:
    return _TOP + _ROW * place


def _in_words(ledger: tuple[LedgerRow, ...], measures: tuple[_Measure, ...]) -> str:
    return "; ".join(
        f"{row.step}: " + ", ".join(f"{measure.title} {measure.shown(measure.value(row))}" for measure in measures)
        for row in ledger
    )
