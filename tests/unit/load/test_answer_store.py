"""Distinct answers are kept once, in bounded memory, without credentials, and handed on in pieces."""

from __future__ import annotations

from harness.load.answer_store import ENTRY, AnswerStore, unpacked
from harness.samples import NO_ANSWER

Entry = tuple[int, int, str, bytes]


def store_of(*entries: Entry, max_bytes: int = 10_000) -> tuple[AnswerStore, list[int]]:
    store = AnswerStore(2, max_bytes)
    return store, [store.index(target, bytes, body, head, answer) for target, body, head, answer in entries]


def test_a_distinct_answer_is_kept_once() -> None:
    store, places = store_of(
        (0, 3, "", b"a"), (0, 3, "", b"a"), (1, 3, "", b"a"), (0, 4, "", b"a"), (0, 3, "h: 1\n", b"a")
    )
    assert places == [0, 0, 1, 2, 3]
    assert list(unpacked(store.take(10_000))) == [
        (2, 0, 0, 3, "", b"a"),
        (2, 1, 1, 3, "", b"a"),
        (2, 2, 0, 4, "", b"a"),
        (2, 3, 0, 3, "h: 1\n", b"a"),
    ]


def test_a_full_store_keeps_nothing_new_and_still_knows_the_old() -> None:
    store, places = store_of((0, 0, "", bytes(300)), (0, 1, "", bytes(300)), (0, 0, "", bytes(300)), max_bytes=600)
    assert places == [0, NO_ANSWER, 0]
    assert store.index(0, bytes, 2, "", b"small") == NO_ANSWER
    assert len(list(unpacked(store.take(10_000)))) == 1


def test_credentials_are_hidden_in_what_is_handed_on() -> None:
    store = AnswerStore(0)
    for _ in range(2):
        assert store.index(0, lambda answer: answer.replace(b"secret", b"***"), 0, "", b"my secret") == 0
    assert [kept.answer for kept in unpacked(store.take(1000))] == [b"my ***"]


def test_pieces_are_bounded_unless_one_answer_is_larger() -> None:
    store, _ = store_of((0, 0, "", b"x" * 100), (0, 1, "", b"y" * 10), (0, 2, "", b"z" * 10))
    pieces = []
    while not store.all_taken:
        pieces.append([kept.body for kept in unpacked(store.take(2 * ENTRY.size + 20))])
    assert pieces == [[0], [1, 2]]
    assert store.take(1000) == b""


def test_an_entry_cut_off_is_left_out() -> None:
    store, _ = store_of((0, 3, "h: 1\n", b"first"), (0, 4, "", b"second"))
    raw = store.take(1000)
    for cut in range(1, ENTRY.size + len("second")):
        assert [kept.answer for kept in unpacked(raw[:-cut])] == [b"first"]
