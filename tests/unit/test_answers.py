"""Kept answers survive a file, and those of several load processes or load tests become one."""

import numpy as np
import pytest

from harness.answers import Answers, merged
from harness.errors import HarnessError
from harness.samples import NO_ANSWER

NAMES = ("teacher", "compressed")


def answers_of(*entries, targets=NAMES):
    return Answers(
        targets=targets,
        target=np.array([target for target, *_ in entries], np.int16),
        body=np.array([body for _, body, *_ in entries], np.int32),
        heads=tuple(head for *_, head, _ in entries),
        blobs=tuple(blob for *_, blob in entries),
    )


def test_a_file_gives_back_what_was_saved(tmp_path):
    answers_of((0, 3, "x: y\nz: w\n", b"\x00\xff binary \x00"), (1, 0, "", b"{}")).save(tmp_path / "a.npz")
    again = Answers.load(tmp_path / "a.npz")
    assert again.blobs == (b"\x00\xff binary \x00", b"{}")
    assert again.headers(0) == {"x": "y", "z": "w"}
    assert again.headers(1) == {}
    assert (again.targets, again.body.tolist()) == (NAMES, [3, 0])
    answers_of().save(tmp_path / "none.npz")
    assert len(Answers.load(tmp_path / "none.npz")) == 0


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 half a zip"])
def test_a_damaged_file_is_named(tmp_path, content):
    if content is not None:
        (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(HarnessError, match="can't read kept answers"):
        Answers.load(tmp_path / "a.npz")


def test_answers_of_several_processes_merge_and_rows_are_renumbered():
    first = answers_of((0, 0, "", b"a"), (0, 1, "", b"b"))
    second = answers_of((0, 1, "", b"b"), (0, 2, "", b"c"))
    whole, maps = merged([first, second])
    assert whole.blobs == (b"a", b"b", b"c")
    assert maps[0][np.array([0, 1, NO_ANSWER])].tolist() == [0, 1, NO_ANSWER]
    assert maps[1][np.array([0, 1, NO_ANSWER])].tolist() == [1, 2, NO_ANSWER]


def test_answers_about_other_targets_do_not_merge():
    with pytest.raises(ValueError, match="different targets"):
        merged([answers_of((0, 0, "", b"a")), answers_of((0, 0, "", b"a"), targets=("target",))])
