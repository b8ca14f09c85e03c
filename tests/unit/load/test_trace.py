"""Recorded arrival files: what is read, and what is refused and where."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from harness.errors import LoadError
from harness.load.trace import read_trace
from harness.scenario.traffic import Traffic


def traffic(path: Path) -> Traffic:
    return Traffic(arrival="replay", arrivals=path)


def test_text_and_npy_read_alike_sorted_and_from_the_first(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("time_s\n1700000003.5\n\n1700000001.25,\n1.7000000015e9\n")
    np.save(tmp_path / "a.npy", np.array([1700000003.5, 1700000001.25, 1700000001.5]))
    for name in ("a.csv", "a.npy"):
        np.testing.assert_allclose(read_trace(traffic(tmp_path / name)), [0, 0.25, 2.25])
    assert read_trace(Traffic()).size == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1\n2\nx\n4\n", r"a.csv:3: 'x' is not a time"),
        ("1\n2\ninf\n", r"a.csv:3: 'inf' is not a time"),
        ("1\n2\nnan\n", r"a.csv:3: 'nan' is not a time"),
        ("t\nu\n1\n", r"a.csv:2: 'u' is not a time"),
        ("", "holds 0 arrivals"),
        ("5\n", "holds 1 arrivals"),
        ("5\n5\n5\n", "holds 3 arrivals within 0 s"),
    ],
)
def test_what_is_no_arrival_time_is_named_by_its_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(LoadError, match=said):
        read_trace(traffic(tmp_path / "a.csv"))


@pytest.mark.parametrize("values", [np.zeros((2, 2)), np.array(["a", "b"]), np.array([0, np.nan]), np.array([{}, 1])])
def test_other_arrays_are_refused(tmp_path: Path, values: np.ndarray) -> None:
    np.save(tmp_path / "a.npy", values)
    with pytest.raises(LoadError, match=r"a\.npy"):
        read_trace(traffic(tmp_path / "a.npy"))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match=r"none\.csv.*No such file"):
        read_trace(traffic(tmp_path / "none.csv"))


def test_replay_and_its_file_need_one_another() -> None:
    with pytest.raises(ValueError, match="need one another"):
        Traffic(arrival="replay")
    with pytest.raises(ValueError, match="need one another"):
        Traffic(arrivals=Path("a.csv"))
