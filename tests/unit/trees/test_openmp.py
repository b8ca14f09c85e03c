"""The wait policy is set while a library loads, and only then."""

from __future__ import annotations

import os

import pytest

from harness.trees.openmp import sleeping_threads


def test_policy_is_taken_back(monkeypatch):
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    with sleeping_threads():
        assert os.environ["OMP_WAIT_POLICY"] == "PASSIVE"
    assert "OMP_WAIT_POLICY" not in os.environ
    with pytest.raises(ZeroDivisionError), sleeping_threads():
        _ = 1 / 0
    assert "OMP_WAIT_POLICY" not in os.environ


def test_the_user_has_the_last_word(monkeypatch):
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    with sleeping_threads():
        assert os.environ["OMP_WAIT_POLICY"] == "ACTIVE"
    assert os.environ["OMP_WAIT_POLICY"] == "ACTIVE"
