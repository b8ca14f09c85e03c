"""Engines tried in a process of their own: real ones, on small bundles."""

import psutil
import pytest

from harness.bench.trial import OverLimitError, memory_bytes, try_engine
from harness.errors import EngineError
from harness.scenario import Choice


def test_opening_compiles_into_the_cache_and_memory_is_counted(teacher, tmp_path):
    bundle, engine = teacher("lightgbm"), Choice(kind="tl2cgen")
    assert try_engine(bundle, engine, tmp_path, 600.0) > 0
    assert list(tmp_path.glob("tl2cgen/*/model.so"))
    assert 0 < memory_bytes(bundle, engine, tmp_path) < 100e6
    assert memory_bytes(bundle, Choice(kind="native"), tmp_path) > 1e6


def test_an_engine_over_its_limit_is_ended_with_all_that_it_started(teacher, tmp_path):
    with pytest.raises(OverLimitError, match=r"was not ready after \d+ s"):
        try_engine(teacher("mlp"), Choice(kind="aotinductor"), tmp_path, 4.0)
    assert not [child for child in psutil.Process().children(recursive=True) if "harness" in " ".join(child.cmdline())]
    assert not [process for process in psutil.process_iter() if str(tmp_path) in " ".join(_command(process))]


def _command(process):
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def test_what_an_engine_says_when_it_fails_is_passed_on(teacher, tmp_path):
    with pytest.raises(EngineError, match="stands for the fastest exact engine"):
        try_engine(teacher("lightgbm"), Choice(kind="auto"), tmp_path, 600.0)


def test_a_crash_is_an_error_of_that_engine_alone(teacher, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "sitecustomize.py").write_text("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    with pytest.raises(EngineError, match=r"crashed while it was opened \(signal 11"):
        try_engine(teacher("lightgbm"), Choice(kind="gtil"), tmp_path, 600.0)
