"""What an index is made anew from, and what of the old one may not come back."""

import shutil
import sqlite3
from pathlib import Path

import pytest

from harness.history.index import INDEX, indexed

REPORTS = Path(__file__).parents[2] / "sample_report" / "reports"


@pytest.fixture
def root(tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    shutil.copy(REPORTS / "pass.json", run / "result.json")
    indexed(tmp_path)
    return tmp_path


@pytest.mark.parametrize("column", ["machine", "question", "p99_ms", "status"])
def test_rows_that_are_none_of_ours_are_made_anew(root, column):
    known = indexed(root).points
    with sqlite3.connect(root / INDEX) as index:
        index.execute(f"UPDATE runs SET {column} = x'ff'")
    found = indexed(root)
    assert repr(found.points) == repr(known)
    assert "made anew" in found.notes[0]
    assert indexed(root).notes == ()


def test_a_journal_of_a_damaged_index_goes_with_it(root):
    (root / INDEX).write_bytes(b"no database " * 400)
    journal = root / f"{INDEX}-journal"
    journal.write_bytes(b"of the old one")
    assert len(indexed(root).points) == 1
    assert not journal.exists()
