from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def sample_dir():
    return Path(__file__).resolve().parents[2] / "sample_report"
