"""Your own CSV, TSV or Parquet: name the columns of query and grade; all other numeric columns are features.

Plain or gzipped; with a header line, or without (columns are then named by their position: 0, 1, 2 ...). Rows of a
query may stand apart. Empty cells are missing values.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from harness.datasets._grouping import hold_out
from harness.datasets._paths import Paths, listed, require_files
from harness.protocols import PluginOptions
from harness.ranking_data import Splits

Column = Annotated[
    str,
    BeforeValidator(lambda value: str(value) if type(value) is int else value, json_schema_input_type=str | int),
]
"""Name of a column, or its position (0 is the first) where files have no header."""


class Options(PluginOptions):
    """Files of the splits, and which column is what."""

    train: Paths = Field(description="file of the train split, or a list of files read one after the other")
    valid: Paths | None = Field(default=None, description="the same for valid; absent: a share of the train queries")
    test: Paths = Field(description="the same for test")
    query: Column = Field(description="column that tells queries apart: numbers or text")
    grade: Column = Field(description="column of the grade, a whole number from 0 (or see grade_bins)")
    features: tuple[Column, ...] | None = Field(
        default=None, min_length=1, description="columns of the features; absent: all other numeric columns"
    )
    ignore: tuple[Column, ...] = Field(default=(), description="columns that are no features, though numeric")
    header: bool = Field(default=True, description="whether files begin with a line of column names")
    separator: str | None = Field(
        default=None,
        min_length=1,
        max_length=1,
        description="between cells; absent: a tab for .tsv and .txt, else a comma",
    )
    quoting: bool = Field(default=True, description='whether cells may stand in double quotes; false takes " as text')
    grade_bins: tuple[float, ...] | None = Field(
        default=None, min_length=1, description="ascending bounds: a relevance from the i-th bound on gets grade i"
    )
    format: Literal["csv", "parquet"] | None = Field(default=None, description="absent: told by the file's suffix")
    valid_share: float = Field(default=0.2, gt=0, lt=1, description="share of train queries held out without a valid")
    seed: int = Field(default=1, ge=0, description="seed of that choice of queries")

    @model_validator(mode="after")
    def _columns_have_one_part_each(self) -> Options:
        parts = [self.query, self.grade, *(self.features or ()), *self.ignore]
        twice = next((column for column in parts if parts.count(column) > 1), None)
        if twice is not None:
            raise ValueError(f"column {twice!r} is named twice among query, grade, features and ignore")
        return self

    @field_validator("grade_bins")
    @classmethod
    def _ascending(cls, bins: tuple[float, ...] | None) -> tuple[float, ...] | None:
        if bins is not None and not all(low < high for low, high in pairwise(bins)):
            raise ValueError("bounds must ascend, such as [0.07, 0.14, 0.41, 0.61]")
        return bins


def load(options: Options, cache_dir: Path) -> Splits:
    """Read the splits. Raises DataError naming file, column and row."""
    from harness.datasets.table.columns import feature_columns, ranking_data
    from harness.datasets.table.files import read_frames

    wanted = {"train": options.train, "valid": options.valid, "test": options.test}
    files = {name: listed(paths) for name, paths in wanted.items() if paths is not None}
    for name, paths in files.items():
        require_files(paths, name)
    train = read_frames(files["train"], options)
    chosen = options.model_copy(update={"features": feature_columns(train, options)})
    splits = {"train": ranking_data("train", train, chosen)}
    del train
    splits |= {
        name: ranking_data(name, read_frames(paths, chosen), chosen) for name, paths in files.items() if name != "train"
    }
    if "valid" not in splits:
        splits["train"], splits["valid"] = hold_out(splits["train"].checked(), options.valid_share, options.seed)
    return Splits(**splits).checked()
