"""A locustfile of one's own: it adds headers, sees segments, and its faults end the run."""

from __future__ import annotations

import json

import pytest

from harness.errors import LoadError
from harness.scenario.traffic import Load


def test_a_locustfile_of_ones_own_adds_headers_and_sees_segments(load, serve_http, tmp_path) -> None:
    (tmp_path / "ours.py").write_text(
        """
from pathlib import Path
from harness.load.user import RankingUser

class Ours(RankingUser):
    def headers(self, target):
        return {"X-Tenant": f"load-{target.name}"}

    def on_segment_start(self, segment):
        self.log(f"start {segment.round}")

    def on_segment_end(self, segment):
        self.log(f"end {segment.round}")

    def log(self, line):
        with (Path(__file__).parent / "seen.txt").open("a") as file:
            print(line, file=file)
"""
    )
    tenants = []

    def answer(method, path, headers, body):
        tenants.append(headers.get("x-tenant"))
        return 200, {}, b"fine"

    samples, info = load(serve_http(answer), rounds=2, load=Load(locustfile=tmp_path / "ours.py"), first_round=4)
    assert samples.ok.all()
    assert info.complete
    assert len(tenants) >= len(samples)
    assert set(tenants) == {"load-compressed"}
    assert (tmp_path / "seen.txt").read_text().split("\n") == ["start 4", "end 4", "start 5", "end 5", ""]


def test_what_a_locustfile_raises_ends_the_run_with_its_traceback(load, url, tmp_path) -> None:
    (tmp_path / "ours.py").write_text(
        "from harness.load.user import RankingUser\n\n"
        "class Ours(RankingUser):\n"
        "    def on_segment_end(self, segment):\n"
        "        raise ZeroDivisionError('ours')\n"
    )
    ours = Load(locustfile=tmp_path / "ours.py", processes=2)
    with pytest.raises(LoadError, match=r"ended with exit code 1; what it had measured is in[^$]*ZeroDivisionError"):
        load(url, load=ours)
    assert len(load.samples()) > 0
    info = json.loads((load.out / "load.json").read_text())
    assert any("ZeroDivisionError: ours" in note for note in info["notes"])


def test_a_locustfile_that_is_not_there_is_named(load, tmp_path) -> None:
    with pytest.raises(LoadError, match=r"ours\.py: no such file"):
        load("http://127.0.0.1:1/", load=Load(locustfile=tmp_path / "ours.py"))
