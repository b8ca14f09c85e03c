"""SVMlight files with qid, plain or gzipped: MQ2008, MSLR-WEB, Istella, Yahoo; parsed once, then read from a cache.

A line is `grade qid:query index:value ... # comment`. An absent feature is 0; `nan`, `NULL` and numbers too large for
float32 are missing. Rows of a query may stand apart, across the files of one split too. Sets in the manner of
LightGBM's own examples, without qid, name their query files beside.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, model_validator

from harness.cache import Cache, key_of
from harness.datasets._grouping import hold_out
from harness.datasets._paths import Paths, fingerprint, listed, require_files
from harness.datasets.letor.lines import Rules
from harness.datasets.letor.reading import read_split
from harness.datasets.letor.store import LAYOUT, Spool, reopen
from harness.protocols import PluginOptions
from harness.ranking_data import RankingData, Splits


class Options(PluginOptions):
    """Files of the splits and how to read them."""

    train: Paths = Field(description="file of the train split, or a list of files read one after the other")
    valid: Paths | None = Field(default=None, description="the same for valid; absent: a share of the train queries")
    test: Paths = Field(description="the same for test")
    valid_share: float = Field(default=0.2, gt=0, lt=1, description="share of train queries held out without a valid")
    seed: int = Field(default=1, ge=0, description="seed of that choice of queries")
    train_groups: Paths | None = Field(default=None, description="file of group sizes, one a line, in place of qid")
    valid_groups: Paths | None = Field(default=None, description="the same for valid")
    test_groups: Paths | None = Field(default=None, description="the same for test")
    first_index: int = Field(default=1, ge=0, le=1, description="index of the first feature in the files: 1 or 0")
    n_features: int | None = Field(
        default=None, ge=1, le=1_000_000, description="number of features; absent: as many as the highest index needs"
    )

    @model_validator(mode="after")
    def _groups_have_rows(self) -> Options:
        if self.valid_groups is not None and self.valid is None:
            raise ValueError("valid_groups without valid: name the file that holds the rows of valid")
        return self


def load(options: Options, cache_dir: Path) -> Splits:
    """The splits; features are mapped from the cache, so only what is used is in memory. Raises DataError."""
    wanted = {"train": options.train, "valid": options.valid, "test": options.test}
    files = {name: listed(paths) for name, paths in wanted.items() if paths is not None}
    groups = {name: listed(getattr(options, f"{name}_groups")) for name in files}
    for name in files:
        require_files(files[name], name)
        require_files(groups[name], f"{name}_groups")

    def build(directory: Path) -> dict[str, RankingData]:
        spools = {
            name: read_split(
                Spool(directory, name), files[name], groups[name], Rules(options.first_index, options.n_features)
            )
            for name in files
        }
        width = options.n_features or max(spool.width for spool in spools.values())
        for spool in spools.values():
            spool.finish(width)
        return mapped(directory)

    def mapped(directory: Path) -> dict[str, RankingData]:
        return {name: reopen(directory, name, options.first_index) for name in files}

    inputs = {name: [fingerprint(path) for path in (*files[name], *groups[name])] for name in files}
    key = key_of({"layout": LAYOUT, "inputs": inputs, "read": (options.first_index, options.n_features)})
    splits, _ = Cache(cache_dir).obtain("letor", key, build, mapped)
    if "valid" not in splits:
        splits["train"], splits["valid"] = hold_out(splits["train"].checked(), options.valid_share, options.seed)
    return Splits(**splits).checked()
