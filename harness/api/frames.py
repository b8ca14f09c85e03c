"""Records as pandas frames."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.records import COMPRESSED, TARGET, LedgerRow, Report

if TYPE_CHECKING:
    import pandas


def objectives(report: Report) -> pandas.DataFrame:
    """The judged objectives, by name."""
    return _frame([{**r.model_dump(), "status": r.status.value} for r in report.verdict.objectives], "name")


def ledger(report: Report) -> pandas.DataFrame:
    """The ledger, each control behind the step that it is of."""
    return _frame([row for step in report.measurements.ledger for row in _ledger_rows(step)], "step")


def suite(runs: Sequence[tuple[Path, Report]]) -> pandas.DataFrame:
    """The figures that runs are compared by."""
    return _frame([_summary(path, report) for path, report in runs], "name")


def _summary(path: Path, report: Report) -> dict[str, Any]:
    measure = report.measure(COMPRESSED) or report.measure(TARGET)
    last = report.measurements.ledger[-1] if report.measurements.ledger else None
    latency_ms = measure.latency_ms if measure else {}
    return {
        "name": report.name,
        "verdict": report.verdict.status.value,
        "p50_ms": latency_ms.get("p50", math.nan),
        "p99_ms": latency_ms.get("p99", math.nan),
        "error_rate": measure.error_rate if measure else math.nan,
        "ndcg": last.quality.ndcg if last else math.nan,
        "ndcg_drop": last.quality.drop if last else math.nan,
        "ndcg_drop_upper": last.quality.drop_upper if last else math.nan,
        "disk_bytes": last.size.disk_bytes if last else 0,
        "engine_us": last.engine_us if last else math.nan,
        "path": str(path),
    }


def _ledger_rows(row: LedgerRow) -> Iterator[dict[str, Any]]:
    yield _ledger_row(row, is_control=False)
    if row.control is not None:
        yield _ledger_row(row.control, is_control=True)


def _ledger_row(row: LedgerRow, *, is_control: bool) -> dict[str, Any]:
    quality = row.quality
    return {
        "step": row.step,
        "is_control": is_control,
        "ndcg": quality.ndcg,
        "ndcg_drop": quality.drop,
        "ndcg_drop_lower": quality.drop_lower,
        "ndcg_drop_upper": quality.drop_upper,
        **row.size.model_dump(),
        "engine": row.engine,
        "engine_us": row.engine_us,
        "engine_us_p99": row.engine_us_p99,
        "memory_bytes": row.memory_bytes,
        "build_s": row.build_s,
        "cached": row.cached,
        "digest": row.digest,
    }


def _frame(rows: Sequence[dict[str, Any]], index: str) -> pandas.DataFrame:
    """Rows by one of their columns."""
    import pandas as pd

    frame = pd.DataFrame(list(rows))
    return frame.set_index(index) if rows else pd.DataFrame(index=pd.Index([], name=index), dtype=np.float64)
