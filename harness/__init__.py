"""Ranking latency harness: which compressed ranker meets the SLA, how sure is that, and what does it cost?

For notebooks and scripts: `run`, `run_suite` and `load_report`, which give a `FinishedRun` or a `FinishedSuite`; see
`harness.api`. They are loaded when they are first asked for.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.api import FinishedRun, FinishedSuite, HarnessError, load_report, run, run_suite

__version__ = "0.1.0"
__all__ = ["FinishedRun", "FinishedSuite", "HarnessError", "__version__", "load_report", "run", "run_suite"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(importlib.import_module("harness.api"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
