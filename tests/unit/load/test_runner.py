"""What is refused before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import LoadError, TargetError
from harness.load.runner import Target, run_load
from harness.ranking_data import Splits
from harness.scenario.traffic import Traffic


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/infer",
        "http://192.0.2.1:8000/infer",
        "file:///etc/passwd",
        "http://user:secret@127.0.0.1/infer",
        "http://127.0.0.1.example.com/infer",
        "http://127.0.0.1:port/infer",
        "127.0.0.1:8000/infer",
        "",
    ],
)
def test_only_this_machine_is_load_tested(url: str, splits: Splits, tmp_path: Path) -> None:
    with pytest.raises(TargetError) as caught:
        run_load([Target("teacher", url)], splits.test, Traffic(), tmp_path, (), lambda _: None)
    assert "secret" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_an_unwritable_folder_is_a_clear_error(splits: Splits, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(LoadError, match="can't write results"):
        run_load(
            [Target("t", "http://127.0.0.1:1/")], splits.test, Traffic(), tmp_path / "file" / "x", (), lambda _: None
        )
