"""A way to train a ranker on the small data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness import registry
from harness.bundle import Bundle, seal
from harness.protocols import Training
from harness.ranking_data import Splits
from harness.records import NdcgSpec


@pytest.fixture
def train_bundle(splits: Splits, tmp_path: Path) -> Callable[..., Bundle]:
    """`train_bundle("lightgbm", n_trees=3)`; `data=` and `n_threads=` where the small data and one thread won't do."""
    made = iter(range(100))

    def build(kind: str, /, *, data: Splits = splits, n_threads: int = 1, **options: object) -> Bundle:
        plugin = registry.ranker(kind)
        out = tmp_path / f"bundle-{next(made)}"
        out.mkdir()
        work = Training(data, out, n_threads, NdcgSpec(), lambda _: None)
        return seal(out, plugin.train(plugin.Options(**options), work), origin={})

    return build
