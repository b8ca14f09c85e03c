"""The audit on answers that are right, and on every way of being wrong."""

import json
from dataclasses import replace

import numpy as np
import pytest

from harness.answers import Answers
from harness.audit import Reference, audit
from harness.audit import audit as _audit_function
from harness.audit.comparison import disagreement
from harness.bundle import seal
from harness.compress import early_exit
from harness.ndcg import ndcg_per_group
from harness.oip import encode_response
from harness.protocols import Compression, Ranking
from harness.records import NdcgSpec
from harness.samples import NO_ANSWER, Samples
from harness.scenario import Choice
from harness.scoring import reference_scorer, score

OIP = Choice.model_validate({"kind": "oip", "encoding": "json"})
RANK = Choice(kind="rank")
K5 = NdcgSpec(k=5)


@pytest.fixture
def asked(splits, teacher):
    """Two candidate lists, and the offline scores of each."""
    rows = [np.arange(*splits.test.offsets[[group, group + 1]]) for group in (0, 1)]
    bundle = teacher("lightgbm")
    return rows, [score(bundle, splits.test.features[r]) for r in rows]


def oip_answer(scores):
    return encode_response(np.asarray(scores, np.float32), None, "m", None, False)[0]


def answers_of(*blobs, bodies=(0, 1)):
    n = len(blobs)
    return Answers(("target",), np.zeros(n, np.int16), np.array(bodies[:n], np.int32), ("",) * n, tuple(blobs))


def samples_of(answer, status=None):
    n = len(answer)
    zeros = np.zeros(n, np.int16)
    times = np.zeros(n)
    status = zeros + 200 if status is None else np.array(status, np.int16)
    return Samples(
        ("target",), zeros, zeros, np.ones(n, bool), times, times, times, status, zeros.astype(np.int32),
        zeros.astype(np.int32), answer=np.array(answer, np.int32),
    )  # fmt: skip


@pytest.fixture
def run(splits, teacher, asked):
    def check(answers, rows_answered, adapter=OIP, info=None, bundle=True, status=None):
        reference = Reference(teacher("lightgbm"), info or {}) if bundle else None
        return audit(
            "target", adapter, answers, samples_of(rows_answered, status), splits.test, asked[0], reference, K5, 1
        )

    return check


def test_right_answers(run, asked, splits, teacher):
    rows, scores = asked
    found = run(answers_of(*map(oip_answer, scores)), [0, 0, 1])
    assert (found.n_answers, found.n_distinct, found.n_checked, found.n_wrong) == (3, 2, 3, 0)
    assert found.largest_difference == 0
    assert (found.tolerance, found.compared_with) == (1e-5, teacher("lightgbm").manifest.digest)
    each = [
        ndcg_per_group(s, splits.test.grades[r], np.array([r.size]), K5)[0] for s, r in zip(scores, rows, strict=True)
    ]
    assert found.ndcg_served == found.ndcg_offline == pytest.approx((2 * each[0] + each[1]) / 3)


def test_every_fault_counts_the_requests_that_got_it(run, asked):
    first, second = asked[1]
    wrong = second.copy()
    wrong[0] += 0.5
    unknown = np.where(np.arange(first.size) == 0, np.nan, first)
    answers = answers_of(oip_answer(first[:-1]), b"<html>", oip_answer(unknown), oip_answer(wrong), bodies=(0, 0, 0, 1))
    found = run(answers, [0, 0, 1, 2, 3, 3, 3])
    assert (found.n_wrong_length, found.n_malformed, found.n_not_finite, found.n_different) == (2, 1, 1, 3)
    assert found.n_wrong == found.n_checked == 7
    assert found.largest_difference == pytest.approx(0.5 / np.abs(second).max(), rel=1e-3)
    assert found.example.startswith("request body 0: ")


def test_the_tolerance_is_that_of_the_engine(run, asked):
    near = [scores * (1 + 2e-6) for scores in asked[1]]
    assert run(answers_of(*map(oip_answer, near)), [0, 1], info={"tolerance": 8e-6}).n_wrong == 0
    assert run(answers_of(*map(oip_answer, near)), [0, 1], info={"tolerance": 1e-7}).n_different == 2


def test_who_leaves_by_rounding_alone_is_right_to_stay_or_to_leave(splits, teacher, asked, tmp_path):
    work = Compression(teacher("lightgbm"), teacher("lightgbm"), splits, tmp_path, 1, K5, lambda _: None)
    draft = early_exit.apply(early_exit.Options(sentinels=(5,), margin=0.0, k=3), work)  # the third stands on the cut
    reference = Reference(seal(tmp_path, draft, origin={}), {})
    ways = [reference_scorer(reference.bundle).score_either_way(splits.test.features[rows]) for rows in asked[0]]
    for blobs, n_different in (
        (map(oip_answer, [ways[0][1], ways[1][2]]), 0),
        (map(oip_answer, [ways[0][2], ways[1][1]]), 0),
        (map(oip_answer, asked[1]), 2),
    ):
        answers = answers_of(*blobs)
        found = audit("target", OIP, answers, samples_of([0, 1]), splits.test, asked[0], reference, K5, 1)
        assert found.n_different == n_different


def test_what_scores_nothing_is_not_compared(run, asked):
    blobs = [oip_answer(-scores) for scores in asked[1]]
    for settings in ({"info": {"tolerance": None}}, {"bundle": False}):
        found = run(answers_of(*blobs), [0, 1], **settings)
        assert (found.n_wrong, found.compared_with, found.tolerance) == (0, "", None)
        assert np.isnan(found.largest_difference)
        assert np.isnan(found.ndcg_offline)
        assert 0 <= found.ndcg_served < 1


def test_orders_are_compared_too(run, asked):
    def ids(order):
        return json.dumps({"items": [{"item": str(place)} for place in order]}).encode()

    right = [np.argsort(-scores, kind="stable") for scores in asked[1]]
    good = run(answers_of(*map(ids, right)), [0, 1], RANK)
    assert (good.n_wrong, good.largest_difference) == (0, 0)
    assert good.ndcg_served == pytest.approx(good.ndcg_offline)
    bad = run(answers_of(ids(right[0][::-1]), ids([0] * right[1].size)), [0, 1], RANK)
    assert (bad.n_different, bad.n_not_a_permutation) == (1, 1)
    assert bad.ndcg_served < bad.ndcg_offline


def test_only_answered_requests_of_the_target_are_read(run, asked):
    answers = answers_of(*map(oip_answer, asked[1]))
    found = run(answers, [0, NO_ANSWER, NO_ANSWER, NO_ANSWER, NO_ANSWER], status=[200, 200, 500, 302, -1])
    assert (found.n_answers, found.n_checked, found.n_not_kept, found.n_redirected) == (2, 1, 1, 1)


def test_of_very_many_distinct_answers_a_seeded_sample_is_checked(run, asked, monkeypatch):
    module = __import__("sys").modules[_audit_function.__module__]
    monkeypatch.setattr(module, "MAX_CHECKED", 10)
    answers = answers_of(*[b"{}"] * 30, bodies=(0,) * 30)
    found = run(answers, list(range(30)))
    assert (found.n_distinct, found.n_checked, found.n_malformed) == (30, 10, 10)


def test_without_grades_there_is_no_ndcg(splits, teacher, asked):
    data = replace(splits.test, grades=np.zeros_like(splits.test.grades))
    answers = answers_of(*map(oip_answer, asked[1]))
    found = audit("target", OIP, answers, samples_of([0, 1]), data, asked[0], Reference(teacher("lightgbm"), {}), K5, 1)
    assert found.n_wrong == 0
    assert np.isnan(found.ndcg_served)


@pytest.mark.parametrize(
    ("ranking", "share"),
    [
        (Ranking(scores=np.array([4.0, 2.0, 1.0])), 0.0),
        (Ranking(scores=np.array([4.0, 2.5, 1.0])), 0.125),
        (Ranking(order=np.array([0, 1, 2])), 0.0),
        (Ranking(order=np.array([0, 2, 1])), 0.25),
        (Ranking(order=np.array([2, 1, 0])), 0.75),
    ],
)
def test_disagreement_is_a_share_of_the_largest_score(ranking, share):
    assert disagreement(ranking, np.array([4, 2, 1], np.float32)) == pytest.approx(share)


def test_equal_scores_may_stand_in_any_order():
    assert disagreement(Ranking(order=np.array([1, 0])), np.array([3, 3], np.float32)) == 0
    assert disagreement(Ranking(scores=np.zeros(2)), np.zeros(2, np.float32)) == 0
