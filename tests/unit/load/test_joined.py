"""Parts of a run that went on, as one: nothing lost, nothing counted twice, every figure of its own part."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.answers import Answers
from harness.load.joined import Part, joined
from harness.records import LoadInfo, MachineLog
from harness.samples import NO_ANSWER, Samples

TARGETS = ("teacher", "compressed")


def samples_of(n_segments: int, answers: list[int], first_due_s: float) -> Samples:
    """One request per answer in each segment; segments take the targets in turn."""
    n = len(answers)
    segment = np.repeat(np.arange(n_segments, dtype=np.int16), n)
    due_s = np.tile(first_due_s + np.arange(n) / 10, n_segments)
    return Samples(
        TARGETS, segment % 2, segment, due_s >= 0.1, due_s, due_s + 0.001, due_s + 0.004, np.full(due_s.size, 200),
        np.full(due_s.size, 7), np.tile(np.arange(n), n_segments),
        answer=np.tile(np.array(answers, np.int32), n_segments),
    )  # fmt: skip


def answers_of(*blobs: bytes) -> Answers:
    n = len(blobs)
    return Answers(TARGETS, np.zeros(n, np.int16), np.zeros(n, np.int32), ("",) * n, blobs)


def log_of(first_s: float, n_rows: int, *cpu_shares: float) -> MachineLog:
    """So many seconds of a machine, and a process of the generator for each share."""
    row = tuple(first_s + i for i in range(n_rows))
    own = tuple((share,) * n_rows for share in cpu_shares)
    return MachineLog(
        started="2025-01-31T12:00:00", generator_cpus=(0,), server_cpus=(1,), end_s=row, duration_s=(1.0,) * n_rows,
        steal_share=row, foreign_share=row, throttled_share=row, pressure_share={"cpu": row},
        generator_cpu_share=own, server_cpu_s={"compressed": row},
    )  # fmt: skip


def info_of(**known: object) -> LoadInfo:
    return LoadInfo(**{"schedule_sha256": "a1", "arrival": "poisson", "offered_qps": 10, "n_planned": 6} | known)


FIRST: Part = (
    samples_of(2, [0, 1, NO_ANSWER], 0.0),
    info_of(
        window_s=10, segment_start_s=(100.0, 120.0), generator_cpu_share=0.2, generator_cpu_share_max=math.nan,
        loop_lag_ms_max=3.0, notes=("slow",), machine=log_of(100, 2, 0.3),
        n_out_of_step={"teacher": 0, "compressed": 1},
    ),
    answers_of(b"x", b"y"),
)  # fmt: skip
SECOND: Part = (
    samples_of(4, [1, 0], 0.05),
    info_of(
        schedule_sha256="b2", n_planned=8, window_s=20, segment_start_s=(140.0, 150.0, 160.0, 170.0),
        generator_cpu_share=0.1, generator_cpu_share_max=0.5, loop_lag_ms_max=math.nan, n_workers_lost=1,
        notes=("slow", "lost"), machine=log_of(140, 3, 0.4, 0.6), n_out_of_step={"teacher": 2, "compressed": 3},
    ),
    answers_of(b"y", b"z"),
)  # fmt: skip


def test_one_part_is_itself() -> None:
    assert joined([FIRST]) is FIRST


def test_segments_follow_one_another_and_each_has_its_start() -> None:
    samples, info, _ = joined([FIRST, SECOND])
    assert np.unique(samples.segment, return_counts=True)[1].tolist() == [3, 3, 2, 2, 2, 2]
    assert len(info.segment_start_s) == 6
    assert info.segment_start_s[4] == 160.0
    assert samples.target[samples.segment == 3].tolist() == [1, 1]
    assert len(samples) == info.n_planned == 14
    for name in ("due_s", "sent_s", "done_s", "status", "in_window", "n_candidates", "body", "worker"):
        both = np.concatenate([getattr(part[0], name) for part in (FIRST, SECOND)])
        assert getattr(samples, name).tolist() == both.tolist(), name


def test_each_request_keeps_its_answer_and_equal_ones_are_kept_once() -> None:
    samples, _, answers = joined([FIRST, SECOND])
    said = [None if index == NO_ANSWER else answers.blobs[index] for index in samples.answer.tolist()]
    assert said == [b"x", b"y", None] * 2 + [b"z", b"y"] * 4
    assert sorted(answers.blobs) == [b"x", b"y", b"z"]


def test_what_the_generator_says_is_of_all_parts() -> None:
    info = joined([FIRST, SECOND])[1]
    assert (info.window_s, info.n_workers_lost, info.complete) == (30, 1, True)
    assert (info.generator_cpu_share, info.generator_cpu_share_max, info.loop_lag_ms_max) == (0.2, 0.5, 3.0)
    assert info.notes == ("slow", "lost")
    assert info.n_out_of_step == {"teacher": 2, "compressed": 4}
    assert len({info.schedule_sha256, joined([SECOND, FIRST])[1].schedule_sha256, "a1", "b2"}) == 4
    cut = SECOND[1].model_copy(update={"complete": False})
    assert not joined([FIRST, (SECOND[0], cut, SECOND[2])])[1].complete


def test_the_machines_seconds_follow_one_another_and_each_process_has_a_row() -> None:
    machine = joined([FIRST, SECOND])[1].machine
    assert machine is not None
    seconds = (100, 101, 140, 141, 142)
    assert machine.end_s == machine.steal_share == machine.pressure_share["cpu"] == seconds
    assert machine.server_cpu_s["compressed"] == seconds
    gap = math.nan
    np.testing.assert_equal(
        machine.generator_cpu_share, ((0.3, 0.3, gap, gap, gap), (gap, gap, 0.4, 0.4, 0.4), (gap, gap, 0.6, 0.6, 0.6))
    )
    unwatched = FIRST[1].model_copy(update={"machine": None})
    assert joined([(FIRST[0], unwatched, FIRST[2]), SECOND])[1].machine == SECOND[1].machine


def test_a_third_part_goes_on_from_the_second() -> None:
    samples = joined([FIRST, SECOND, FIRST])[0]
    assert samples.segment[-6:].tolist() == [6, 6, 6, 7, 7, 7]


def test_parts_of_other_targets_are_not_joined() -> None:
    other = Answers(("A", "B"), *(getattr(SECOND[2], field) for field in ("target", "body", "heads", "blobs")))
    with pytest.raises(ValueError, match="different targets"):
        joined([FIRST, (SECOND[0], SECOND[1], other)])
