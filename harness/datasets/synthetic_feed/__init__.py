"""Recommendation feed made up on the spot: 120,000 candidates x 136 features of mixed kinds in about a second.

`world_seed` fixes users, items and what they like; `seed` draws the requests, of each split on its own. The utility
behind the grades has saturations, optima inside a range, products and signs that turn with the query, so additive and
linear models fall short of trees, and small trees short of large ones.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from harness.datasets.synthetic_feed.features import feature_names, observe
from harness.datasets.synthetic_feed.utility import Utility
from harness.datasets.synthetic_feed.world import World
from harness.protocols import PluginOptions
from harness.ranking_data import RankingData, Splits

_SPLITS = ("train", "valid", "test")


class Options(PluginOptions):
    """How much to make, and of which world."""

    train_groups: int = Field(default=2000, ge=1, le=10_000_000, description="query groups in train")
    valid_groups: int = Field(default=400, ge=1, le=10_000_000, description="query groups in valid")
    test_groups: int = Field(default=600, ge=1, le=10_000_000, description="query groups in test")
    mean_list_size: float = Field(
        default=40.0, ge=2, le=10_000, description="mean number of candidates per query group"
    )
    n_features: int = Field(default=136, ge=10, le=4096, description="features; about a tenth are constant per query")
    world_seed: int = Field(default=7, ge=0, description="seed of users, items, popularity and tastes")
    seed: int = Field(default=1, ge=0, description="seed of the requests, noise and candidate lists")


def load(options: Options, cache_dir: Path) -> Splits:
    """Make the three splits; the same options give the same data. Raises DataError where a split has no positive."""
    world = World(options.world_seed)
    utility = Utility(world, options.mean_list_size)
    names = feature_names(options.n_features)
    splits = {}
    for stream, name in enumerate(_SPLITS):
        n_groups = getattr(options, f"{name}_groups")
        requests = world.requests(n_groups, options.mean_list_size, (options.seed, stream))
        grades = utility.grades(requests)
        splits[name] = RankingData(name, observe(requests, names, world.seed), grades, requests.group_sizes, names)
    return Splits(**splits).checked()
