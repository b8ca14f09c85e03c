from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from harness.records import Report
from harness.samples import Samples
from harness.studies import Study

SAMPLE = Path(__file__).resolve().parents[2] / "sample_report"


@pytest.fixture(autouse=True)
def no_terminal(monkeypatch):
    for name in ("FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def sample_dir() -> Path:
    return SAMPLE


@pytest.fixture(scope="session")
def report_of() -> Callable[[str], Report]:
    """`report_of("fail")`: one of the sample reports."""
    return lambda name: Report.model_validate_json((SAMPLE / "reports" / f"{name}.json").read_bytes())


@pytest.fixture(scope="session")
def study_of() -> Callable[[str], Study]:
    """`study_of("capacity")`: one of the sample studies."""
    return lambda name: TypeAdapter(Study).validate_json((SAMPLE / "studies" / f"{name}.json").read_bytes())


@pytest.fixture(scope="session")
def samples() -> Samples:
    return Samples.load(SAMPLE / "samples.npz")
