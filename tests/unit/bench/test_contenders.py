import numpy as np
import pytest

from harness.bench.calls import Effort
from harness.bench.contenders import everyone, gather, not_exact, parsed, scores_nothing
from harness.bench.rows import made_up_rows
from harness.bench.side_by_side import record_of, times_at
from harness.errors import HarnessError
from harness.scoring import reference_scorer


def test_labels_name_an_engine_and_its_keys():
    assert parsed("gtil").kind == "gtil"
    assert parsed("tl2cgen:opt_level=3:quantize=true").options == {"opt_level": 3, "quantize": True}
    assert "auto" not in everyone()
    assert {"native", "gtil", "onnxruntime_int8"} <= set(everyone())


@pytest.mark.parametrize(
    ("label", "message"),
    [("gtill", "did you mean 'gtil'"), ("gtil:threads", "is not key=value"), ("gtil:n_thread=1", "unknown key")],
)
def test_labels_that_name_nothing_are_refused(label, message):
    with pytest.raises(HarnessError, match=message):
        parsed(label)


def test_who_takes_part_and_why_the_others_do_not(teacher, tmp_path):
    labels = ["native", "gtil", "fake:mean_ms=0", "onnxruntime"]
    field = gather(labels, teacher("lightgbm"), tmp_path, 600.0, lambda _: None, scores_nothing)
    assert [contender.label for contender in field.contenders] == ["native", "gtil"]
    skipped = {one.engine: one for one in field.skipped}
    assert "scores nothing" in skipped["fake:mean_ms=0"].reason
    assert skipped["onnxruntime"].refused
    assert not skipped["fake:mean_ms=0"].refused


def test_an_engine_that_another_would_stand_in_for_is_left_out(teacher, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    field = gather(["gtil", "bitblend"], teacher("lightgbm"), tmp_path, 60.0, lambda _: None)
    assert [contender.label for contender in field.contenders] == ["gtil"]
    assert "gtil would score in its place: needs a C compiler" in field.skipped[0].reason


def test_a_lossy_engine_is_timed_but_not_exact(teacher, tmp_path):
    pytest.importorskip("onnxruntime")
    bundle = teacher("mlp")
    field = gather(["native", "onnxruntime", "onnxruntime_int8"], bundle, tmp_path, 600.0, lambda _: None)
    assert [not_exact(contender) == "" for contender in field.contenders] == [True, True, False]
    rows = made_up_rows(bundle, 20)
    effort = Effort(seconds=0, fewest=5, most=5)
    times = times_at(field.contenders, reference_scorer(bundle), rows, 20, 0, (), effort)
    records = [record_of(contender, [own], 0) for contender, own in zip(field.contenders, times, strict=True)]
    assert [record.exact for record in records] == [True, True, False]
    assert all(own.n_calls == 5 and own.median_us > 0 and np.isnan(own.ns_per_candidate_tree) for own in times)
    assert times[1].difference < 1e-5 < times[2].difference < 0.3


def test_an_engine_that_is_beyond_its_stated_tolerance_is_not_exact(teacher, tmp_path):
    bundle = teacher("lightgbm")
    (contender,) = gather(["gtil"], bundle, tmp_path, 600.0, lambda _: None).contenders
    honest = contender.scorer.score
    contender.scorer.score = lambda x: honest(x) * np.float32(1.001)
    effort = Effort(seconds=0, fewest=3, most=3)
    times = times_at([contender], reference_scorer(bundle), made_up_rows(bundle, 20), 20, 20, (), effort)
    assert times[0].difference == pytest.approx(1e-3, rel=0.1)
    assert not record_of(contender, times, 0).exact
