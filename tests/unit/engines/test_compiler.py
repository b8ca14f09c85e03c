"""The C compiler: found or missed with a remedy, several sources at once, failures told in the compiler's words."""

import ctypes
import os
import threading
import time
from pathlib import Path

import pytest

from harness.engines._compiler import Compiler, compile_library, find_compiler
from harness.errors import EngineError


def test_sources_are_compiled_and_linked_together(tmp_path):
    sources = []
    for index in range(5):
        source = tmp_path / f"part{index}.c"
        source.write_text(f"int part{index}(void) {{ return {index}; }}\n")
        sources.append(source)
    total = tmp_path / "total.c"
    calls = " + ".join(f"part{index}()" for index in range(5))
    total.write_text(
        "".join(f"int part{index}(void);\n" for index in range(5)) + f"int total(void) {{ return {calls}; }}"
    )
    library = tmp_path / "out" / "total.so"
    library.parent.mkdir()
    compile_library(find_compiler(), [*sources, total], library, ["-O0"])
    assert ctypes.CDLL(str(library)).total() == 10


def test_the_compiler_has_a_version():
    assert any(digit in find_compiler().version for digit in "0123456789")


def test_cc_will_do_where_gcc_is_absent(tmp_path, monkeypatch):
    (tmp_path / "cc").symlink_to(find_compiler().path)
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    assert find_compiler().path == str(tmp_path / "cc")


def test_a_failure_quotes_the_compiler(tmp_path):
    good, bad = tmp_path / "good.c", tmp_path / "bad.c"
    good.write_text("int good(void) { return 1; }\n")
    bad.write_text("int bad(void) { return undeclared_thing; }\n")
    with pytest.raises(EngineError, match="undeclared_thing") as caught:
        compile_library(find_compiler(), [good, bad], tmp_path / "x.so", ["-O0"])
    assert "exit status 1" in caught.value.what
    assert not (tmp_path / "x.so").exists()


def test_what_still_runs_is_ended_with_the_failure(tmp_path):
    """Two shares on one core would run one after the other, so the program itself tells which share it has."""
    program = tmp_path / "cc"
    pids = tmp_path / "pids"
    program.write_text(
        f'#!/bin/sh\ncase "$*" in *big.c*) echo "no memory left"; exit 1;; esac\nsleep 60 & echo $! >> "{pids}"; wait\n'
    )
    program.chmod(0o755)
    big, small = tmp_path / "big.c", tmp_path / "small.c"
    big.write_text("/* the larger one */\n")
    small.write_text("\n")
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("one core compiles one file after another")
    started = time.monotonic()
    with pytest.raises(EngineError, match="no memory left"):
        compile_library(Compiler(str(program), "test"), [big, small], tmp_path / "x.so", [])
    assert time.monotonic() - started < 30
    for pid in pids.read_text().split() if pids.exists() else []:
        assert not _runs(int(pid))


def test_a_compiler_that_is_killed_says_so(tmp_path):
    program = tmp_path / "cc"
    program.write_text("#!/bin/sh\nkill -9 $$\n")
    program.chmod(0o755)
    source = tmp_path / "a.c"
    source.write_text("\n")
    with pytest.raises(EngineError, match="killed by signal 9"):
        compile_library(Compiler(str(program), "test"), [source], tmp_path / "x.so", [])


def _runs(pid):
    """Whether the process still runs; one that has ended may wait a moment to be collected."""
    gone = threading.Event()
    for _ in range(100):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return False
        except FileNotFoundError:
            return False
        gone.wait(0.02)
    return True
