"""Data: the checked splits of a scenario's dataset."""

from __future__ import annotations

from typing import Any

from harness import registry
from harness.cache import Cache
from harness.ranking_data import Splits
from harness.scenario import Choice, options


def load_data(choice: Choice, cache: Cache) -> Splits:
    """Read or make the splits and check them; raises DataError."""
    plugin = registry.dataset(choice.kind)
    return plugin.load(options("datasets", choice), cache.root / "datasets").checked()


def describe_data(splits: Splits) -> dict[str, Any]:
    """Shapes and digest, for the report."""
    shapes = {
        split.name: {"rows": split.n_rows, "groups": split.n_groups}
        for split in (splits.train, splits.valid, splits.test)
    }
    return {"splits": shapes, "n_features": splits.test.n_features, "digest": splits.digest}
