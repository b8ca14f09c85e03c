"""Columns of data frames -> query groups with features and grades."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.datasets._grouping import group_rows
from harness.datasets._numbers import TOP_GRADE, as_features, bad_grades
from harness.errors import DataError, did_you_mean
from harness.ranking_data import Features, RankingData

if TYPE_CHECKING:
    from harness.datasets.table import Options

Frames = list[tuple[Path, pd.DataFrame]]
_TEXT_REMEDY = "mend the cell (leave it empty where the value is missing), or leave the column out with data.ignore"


def feature_columns(frames: Frames, options: Options) -> tuple[str, ...]:
    """The features named by the options, else every other numeric column of the first file.

    A column that is mostly numbers with some text among them is an error: dropping it silently would cost a feature.
    """
    if options.features is not None:
        return options.features
    _require_columns(frames, (options.query, options.grade), options)
    path, frame = frames[0]
    others = [column for column in frame.columns if column not in {options.query, options.grade, *options.ignore}]
    chosen = [column for column in others if _is_numeric(frame[column]) or _mostly_numbers(path, frame[column])]
    if not chosen:
        raise DataError(
            f"no numeric column beside query and grade, only {', '.join(others) or 'none at all'}",
            where=str(path),
            remedy="name the feature columns under data.features, or check the separator",
        )
    return tuple(chosen)


def ranking_data(name: str, frames: Frames, options: Options) -> RankingData:
    """One split: rows of a query brought together, in the order in which the queries first appear."""
    names = options.features or ()
    _require_columns(frames, (options.query, options.grade, *names), options)
    grades = np.concatenate([_grades(path, frame[options.grade], options.grade_bins) for path, frame in frames])
    order, sizes = group_rows(_queries(frames, options.query))
    features = np.empty((order.size, len(names)), np.float32)
    start = 0
    for path, frame in frames:
        for index, column in enumerate(names):
            features[start : start + len(frame), index] = _feature(path, frame[column])
        start += len(frame)
    return RankingData(name, features[order], grades[order], sizes, names)


def _require_columns(frames: Frames, columns: tuple[str, ...], options: Options) -> None:
    for path, frame in frames:
        for column in columns:
            if column not in frame.columns:
                raise DataError(
                    f"no column {column!r}{did_you_mean(column, frame.columns)}",
                    where=str(path),
                    remedy="correct data.query, data.grade or data.features"
                    + ("" if options.header else "; without a header, columns are named by position from 0"),
                )


def _queries(frames: Frames, column: str) -> NDArray[np.int64]:
    for path, frame in frames:
        _require(frame[column].notna().to_numpy(), path, frame[column], "no query", "every row needs its query")
    codes, _ = pd.factorize(pd.concat([frame[column].astype(object) for _, frame in frames]))
    return np.asarray(codes, np.int64)


def _grades(path: Path, column: pd.Series[Any], bins: tuple[float, ...] | None) -> NDArray[np.int32]:
    relevance = _numbers(column)
    if bins is not None:
        _require(~np.isnan(relevance), path, column, "relevance", "give every row a number, or drop the row")
        return np.digitize(relevance, bins).astype(np.int32)
    remedy = f"grades are whole numbers from 0 to {TOP_GRADE}; turn a real-valued relevance into grades with grade_bins"
    _require(~bad_grades(relevance), path, column, "grade", remedy)
    return relevance.astype(np.int32)


def _feature(path: Path, column: pd.Series[Any]) -> Features:
    numbers = _numbers(column)
    if not _is_numeric(column):
        _require(~np.isnan(numbers) | column.isna().to_numpy(), path, column, "not a number:", _TEXT_REMEDY)
    return as_features(numbers)


def _is_numeric(column: pd.Series[Any]) -> bool:
    return bool(pd.api.types.is_numeric_dtype(column.dtype)) and not pd.api.types.is_complex_dtype(column.dtype)


def _mostly_numbers(path: Path, column: pd.Series[Any]) -> bool:
    parsed, filled = ~np.isnan(_numbers(column)), column.notna().to_numpy()
    if parsed.sum() <= filled.sum() / 2:
        return False
    _require(parsed | ~filled, path, column, "not a number in a column of numbers:", _TEXT_REMEDY)
    return True


def _numbers(column: pd.Series[Any]) -> NDArray[np.float64]:
    """The column as float64, NaN where a cell is empty or no number."""
    if not _is_numeric(column):
        column = pd.to_numeric(column.astype("str"), errors="coerce")
    return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))


def _require(good: NDArray[np.bool_], path: Path, column: pd.Series[Any], what: str, remedy: str) -> None:
    """DataError for the first row that is not good; rows count from 1, the header aside."""
    if not good.all():
        row = int(np.argmin(good))
        cell = column.iloc[row]
        shown = "(the cell is empty)" if pd.isna(cell) else repr(cell) if isinstance(cell, str) else str(cell)
        raise DataError(f"{what} {shown}", where=f"{path}: column {column.name!r}, row {row + 1}", remedy=remedy)
