from collections.abc import Callable
from pathlib import Path

import pytest

from harness.records import Report

SAMPLE = Path(__file__).resolve().parents[2] / "sample_report"


@pytest.fixture(scope="session")
def report_of() -> Callable[[str], Report]:
    """`report_of("fail")`: one of the sample reports."""
    return lambda name: Report.model_validate_json((SAMPLE / "reports" / f"{name}.json").read_bytes())
