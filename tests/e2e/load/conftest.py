"""Load tests against a server of known behaviour, with the processes that take part in them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import pytest

from harness.answers import Answers
from harness.events import Progress
from harness.load.runner import Target, run_load
from harness.ranking_data import RankingData, Splits
from harness.records import LoadInfo
from harness.samples import NO_ANSWER, Samples
from harness.scenario.traffic import Traffic


@dataclass(frozen=True)
class LoadTest:
    """`load(url, window_s=60)`: real Locust against that URL, or each of several, with a short test's traffic changed.

    Keys that traffic does not have are those of `run_load`. Its files lie in `out`.
    """

    data: RankingData
    out: Path

    def __call__(self, *urls: str, progress=lambda _: None, cpus=(), **changes) -> tuple[Samples, LoadInfo]:
        traffic = self.traffic(**{key: value for key, value in changes.items() if key in Traffic.model_fields})
        rest = {key: value for key, value in changes.items() if key not in Traffic.model_fields}
        targets = [Target(name, url) for name, url in zip(("compressed", "teacher"), urls, strict=False)]
        return run_load(targets[::-1], self.data, traffic, self.out, cpus, progress, **rest)

    def traffic(self, **changes) -> Traffic:
        """A hundred requests per second for 1.5 s, and time enough for each on a busy machine."""
        short = {"offered_qps": 100, "warm_up_s": 0.3, "window_s": 1.2, "rounds": 1, "n_candidates": 20, "n_bodies": 8}
        return Traffic(**{**short, "max_in_flight": 64, "timeout_s": 10, **changes})

    def samples(self) -> Samples:
        """What a test that ended in an error has kept."""
        return Samples.load(self.out / "samples.npz")

    def check_answers(self, samples: Samples) -> None:
        """Every answered request points to the one answer to its body at its target, whichever process kept it."""
        answers = Answers.load(self.out / "answers.npz")
        assert set(answers.blobs) == {b"fine"}
        assert ((samples.answer != NO_ANSWER) == samples.ok).all()
        kept = samples.where(samples.ok)
        np.testing.assert_array_equal(answers.body[kept.answer], kept.body)
        np.testing.assert_array_equal(answers.target[kept.answer], kept.target)
        pairs = list(zip(answers.target.tolist(), answers.body.tolist(), strict=True))
        assert len(pairs) == len(set(pairs))


@pytest.fixture
def load(splits: Splits, tmp_path: Path) -> LoadTest:
    return LoadTest(splits.test, tmp_path / "load")


@pytest.fixture
def url(start_server) -> str:
    """Where all is fine."""
    return start_server("fine.py").url


@pytest.fixture(scope="session")
def locust_of() -> Callable[..., psutil.Process]:
    """`locust_of()`: the load process that this process, or the one given, has started."""

    def find(parent: psutil.Process | None = None) -> psutil.Process:
        return next(child for child in (parent or psutil.Process()).children() if "locust" in child.cmdline())

    return find


@pytest.fixture(scope="session")
def once_told() -> Callable[..., Progress]:
    """`once_told(act, n=4)`: takes progress, and with the fourth of it, and never again, calls `act`."""

    def taking(act: Callable[[], None], n: int = 1) -> Progress:
        count = itertools.count(1)
        return lambda _: act() if next(count) == n else None

    return taking


@pytest.fixture
def workers() -> Iterator[Callable[[psutil.Process], list[psutil.Process]]]:
    """`workers(master)`: the load processes that Locust's master has forked; after the test none of them is left."""
    found: list[psutil.Process] = []

    def find(master: psutil.Process) -> list[psutil.Process]:
        found.extend(child for child in master.children() if "locust" in child.cmdline())
        return found

    yield find
    _, alive = psutil.wait_procs(found, timeout=10)
    assert not alive
