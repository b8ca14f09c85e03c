"""Kept answers survive a file, and those of several load processes become one."""

import numpy as np
import pytest

from harness.answers import Answers, merged
from harness.errors import HarnessError
from harness.load.answer_store import AnswerStore
from harness.samples import NO_ANSWER

NAMES = ("teacher", "compressed")
HIDE = [lambda blob: blob] * 2


def store_of(*entries, max_bytes=10_000):
    store = AnswerStore(max_bytes)
    return store, [store.index(*entry) for entry in entries]


def test_a_distinct_answer_is_kept_once():
    store, places = store_of(
        (0, 3, "", b"a"), (0, 3, "", b"a"), (1, 3, "", b"a"), (0, 4, "", b"a"), (0, 3, "h: 1\n", b"a")
    )
    assert places == [0, 0, 1, 2, 3]
    answers = store.answers(NAMES, HIDE)
    assert (answers.body.tolist(), answers.target.tolist(), answers.n_not_kept) == ([3, 3, 4, 3], [0, 1, 0, 0], 0)
    assert answers.headers(3) == {"h": "1"}
    assert answers.headers(0) == {}


def test_a_full_store_counts_what_is_new_and_still_knows_the_old():
    store, places = store_of((0, 0, "", bytes(300)), (0, 1, "", bytes(300)), (0, 0, "", bytes(300)), max_bytes=600)
    assert places == [0, NO_ANSWER, 0]
    assert store.index(0, 2, "", b"small") == NO_ANSWER
    assert store.answers(NAMES, HIDE).n_not_kept == 2


def test_credentials_are_hidden_target_by_target():
    store, _ = store_of((0, 0, "", b"my secret"), (1, 0, "", b"my secret"))
    answers = store.answers(NAMES, [lambda blob: blob.replace(b"secret", b"***"), lambda blob: blob])
    assert answers.blobs == (b"my ***", b"my secret")


def test_a_file_gives_back_what_was_saved(tmp_path):
    store, _ = store_of((0, 3, "x: y\nz: w\n", b"\x00\xff binary \x00"), (1, 0, "", b"{}"))
    store.answers(NAMES, HIDE).save(tmp_path / "a.npz")
    again = Answers.load(tmp_path / "a.npz")
    assert again.blobs == (b"\x00\xff binary \x00", b"{}")
    assert again.headers(0) == {"x": "y", "z": "w"}
    assert (again.targets, again.body.tolist()) == (NAMES, [3, 0])
    AnswerStore().answers(NAMES, HIDE).save(tmp_path / "none.npz")
    assert len(Answers.load(tmp_path / "none.npz")) == 0


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 half a zip"])
def test_a_damaged_file_is_named(tmp_path, content):
    if content is not None:
        (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(HarnessError, match="can't read kept answers"):
        Answers.load(tmp_path / "a.npz")


def test_answers_of_several_processes_merge_and_rows_are_renumbered():
    first, own = store_of((0, 0, "", b"a"), (0, 1, "", b"b"))
    second, others = store_of((0, 1, "", b"b"), (0, 2, "", b"c"), (0, 9, "", bytes(20_000)))
    parts = [store.answers(NAMES, HIDE) for store in (first, second)]
    whole, maps = merged(parts)
    assert whole.blobs == (b"a", b"b", b"c")
    assert whole.n_not_kept == 1
    assert maps[0][np.array(own)].tolist() == [0, 1]
    assert maps[1][np.array(others)].tolist() == [1, 2, NO_ANSWER]


def test_answers_about_other_targets_do_not_merge():
    store, _ = store_of((0, 0, "", b"a"))
    with pytest.raises(ValueError, match="different targets"):
        merged([store.answers(NAMES, HIDE), store.answers(("target",), HIDE)])
