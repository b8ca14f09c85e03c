"""Every dataset plug-in, found through the registry, keeps the contract of harness/protocols.py."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from harness import registry
from harness.protocols import PluginOptions
from harness.ranking_data import Splits


def letor_options(folder: Path) -> dict[str, Any]:
    path = folder / "data.txt"
    rows = [f"{(q + r) % 3} qid:{q} 1:{q * r % 7} 2:{r / 7} # row {r}" for q in range(9) for r in range(4)]
    path.write_text("\n".join(rows))
    return {"train": path, "test": path, "valid_share": 0.3}


def table_options(folder: Path) -> dict[str, Any]:
    path = folder / "data.csv"
    rows = [f"q{q},{(q + r) % 3},{q * r % 7},{'' if r == 2 else r / 7}" for q in range(9) for r in range(4)]
    path.write_text("\n".join(["query,grade,a,b", *rows]))
    return {"train": [path], "test": path, "query": "query", "grade": "grade"}


def movielens_options(folder: Path) -> dict[str, Any]:
    movies = [f'{m},"Film, {m} ({1990 + m})",{"Drama|Comedy" if m % 2 else "(no genres listed)"}' for m in range(1, 16)]
    ratings = [f"{u},{(u * r) % 15 + 1},{1 + (u + r) % 5},{1000 * r + u}" for u in range(1, 8) for r in range(12)]
    (folder / "movies.csv").write_text("\n".join(["movieId,title,genres", *movies]))
    (folder / "ratings.csv").write_text("\n".join(["userId,movieId,rating,timestamp", *ratings]))
    return {"folder": folder, "positives": 3, "negatives": 4, "history": 3}


EXAMPLES: dict[str, Callable[[Path], dict[str, Any]]] = {
    "letor": letor_options,
    "table": table_options,
    "movielens": movielens_options,
    "synthetic_feed": lambda _: {"train_groups": 20, "valid_groups": 10, "test_groups": 10, "n_features": 20},
}
"""Small valid options of the plug-ins that can't do, or should not do here, with their defaults alone."""


@pytest.fixture(params=registry.names("datasets"))
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def options(name: str, tmp_path: Path) -> dict[str, Any]:
    return EXAMPLES.get(name, lambda _: {})(tmp_path)


@pytest.fixture
def splits(name: str, options: dict[str, Any], tmp_path: Path) -> Splits:
    plugin = registry.dataset(name)
    return plugin.load(plugin.Options(**options), tmp_path / "cache")


def test_it_says_what_it_is(name):
    assert registry.summary("datasets", name).endswith(".")
    assert issubclass(registry.dataset(name).Options, PluginOptions)


def test_every_option_is_described(name):
    for key, field in registry.options_model("datasets", name).model_fields.items():
        assert field.description, key


def test_splits_are_sound(splits):
    assert splits.checked() is splits
    assert [split.name for split in (splits.train, splits.valid, splits.test)] == ["train", "valid", "test"]
    for split in (splits.train, splits.valid, splits.test):
        assert split.features.dtype == np.float32
        assert split.features.flags.c_contiguous
        assert split.features.flags.writeable
        assert not np.isinf(split.features).any()
        assert split.grades.dtype == np.int32
        assert split.group_sizes.dtype == np.int64
        assert len(set(split.feature_names)) == split.n_features


def test_the_same_options_give_the_same_data(name, options, splits, tmp_path):
    plugin = registry.dataset(name)
    for cache_dir in (tmp_path / "cache", tmp_path / "another cache"):
        assert plugin.load(plugin.Options(**options), cache_dir).digest == splits.digest


def test_unknown_keys_are_errors(name, options):
    with pytest.raises(ValidationError, match="no_such_key"):
        registry.dataset(name).Options(**options, no_such_key=1)


def test_options_are_frozen(name, options):
    chosen = registry.dataset(name).Options(**options)
    with pytest.raises(ValidationError, match="frozen"):
        setattr(chosen, next(iter(options), next(iter(type(chosen).model_fields))), None)


def test_options_survive_json(name, options):
    model = registry.options_model("datasets", name)
    chosen = model(**options)
    assert model.model_validate_json(chosen.model_dump_json()) == chosen
