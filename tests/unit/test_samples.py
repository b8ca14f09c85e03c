import numpy as np
import pytest

from harness.errors import HarnessError
from harness.samples import Samples


def samples_of(status, due=None, sent=None, done=None, target=None):
    n = len(status)
    status = np.array(status, dtype=np.int16)
    due = np.arange(n) * 0.1 if due is None else np.array(due)
    sent = due + 0.001 if sent is None else np.array(sent)
    done = due + 0.011 if done is None else np.array(done)
    target = np.zeros(n, dtype=np.int16) if target is None else np.array(target, dtype=np.int16)
    zeros = np.zeros(n, dtype=np.int32)
    window = np.ones(n, dtype=np.bool_)
    return Samples(
        ("compressed", "teacher"), target, zeros.astype(np.int16), window, due, sent, done, status, zeros, zeros
    )


def test_failed_and_unsent_requests_are_over_every_limit():
    s = samples_of([200, 500, 0, -1], sent=[0.001, 0.101, np.nan, 0.301])
    np.testing.assert_allclose(s.latency_ms, [11, np.inf, np.inf, np.inf])
    np.testing.assert_allclose(s.round_trip_ms, [10, np.inf, np.nan, np.inf])
    np.testing.assert_allclose(s.send_lag_ms, [1, 1, np.nan, 1])


def test_save_and_load_give_the_same_columns(tmp_path):
    s = samples_of([200, 503])
    s.save(tmp_path / "s.npz")
    again = Samples.load(tmp_path / "s.npz")
    assert again.targets == s.targets
    np.testing.assert_array_equal(again.status, s.status)
    assert again.in_window.dtype == np.bool_


def test_judged_rows_are_those_of_the_target():
    s = samples_of([200, 201, 202], target=[0, 1, 0])
    assert s.judged("teacher").status.tolist() == [201]
    with pytest.raises(HarnessError, match="no samples of target 'other'"):
        s.judged("other")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 half a zip"])
def test_a_damaged_file_is_named(tmp_path, content):
    path = tmp_path / "samples.npz"
    path.write_bytes(content)
    with pytest.raises(HarnessError, match=r"can't read samples"):
        Samples.load(path)


def test_a_file_without_workers_has_one(tmp_path):
    s = samples_of([200, 503])
    s.save(tmp_path / "new.npz")
    with np.load(tmp_path / "new.npz") as archive:
        np.savez(tmp_path / "old.npz", **{name: archive[name] for name in archive.files if name != "worker"})
    old = Samples.load(tmp_path / "old.npz")
    assert old.worker.tolist() == [0, 0]
    assert old.where(old.ok).worker.tolist() == [0]
