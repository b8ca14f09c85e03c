"""Scenario files written on the spot, and what loading them says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from harness.errors import ScenarioError
from harness.scenario import Scenario, load

Write = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """`write("q.yaml", text)`: a file in the working directory, by its relative name."""
    monkeypatch.chdir(tmp_path)

    def to_file(name: str, text: str) -> Path:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")
        return Path(name)

    return to_file


@pytest.fixture
def loads(write: Write) -> Callable[..., list[Scenario]]:
    """`loads(text, *overrides)`: the scenarios of one file."""

    def read(text: str, *overrides: str) -> list[Scenario]:
        return [entry.scenario for entry in load([write("q.yaml", text)], overrides)]

    return read


@pytest.fixture
def says(write: Write) -> Callable[..., list[str]]:
    """`says(text, *overrides)`: the problems of one file, one line each."""

    def problems(text: str, *overrides: str) -> list[str]:
        return refused([write("q.yaml", text)], overrides)

    return problems


@pytest.fixture
def refuses() -> Callable[..., list[str]]:
    """`refuses(paths)`: the problems of several files."""
    return refused


def refused(paths: Sequence[Path], overrides: Sequence[str] = ()) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        load(paths, overrides)
    return [str(problem) for problem in caught.value.problems]
