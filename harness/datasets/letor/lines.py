"""Lines of an SVMlight file -> arrays, a block of lines at a time, without a Python loop over them.

The numbers of a block go through the C parser of pandas as one column. Where the tokens stand relative to colons and
line ends is checked with array operations, so that no misplaced token can pass for another one's value.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.datasets._numbers import as_features, bad_grades
from harness.ranking_data import Features, Floats

MAX_INFERRED_FEATURES = 65_536
"""Highest feature count believed without `n_features`: a stray large index would make every row that long."""
LARGEST_QUERY = 2**53
"""From here on, whole numbers are no longer told apart as float64."""

_COMMENT = re.compile(rb"#[^\n]*")
_ONE_A_LINE = bytes(ord("\n") if code <= ord(" ") or code == ord(":") else code for code in range(256))
_MISSING = ["nan", "NaN", "NAN", "null", "NULL"]
_COLON, _NEWLINE, _SPACE = 58, 10, 32


@dataclass(frozen=True)
class Rules:
    """What a line must keep to beside its grammar; `grouped` files have their query groups told elsewhere."""

    first_index: int
    n_features: int | None
    grouped: bool = False

    @property
    def max_features(self) -> int:
        """Number of features that an index may reach."""
        return self.n_features or MAX_INFERRED_FEATURES


@dataclass(frozen=True)
class Block:
    """Rows of some lines: grades, queries (n_rows,); entries as row, column, value (n_entries,), rows ascending."""

    grades: NDArray[np.int32]
    queries: NDArray[np.int64]
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    values: Features

    @property
    def width(self) -> int:
        """Columns that its entries need."""
        return int(self.columns.max()) + 1 if self.columns.size else 0


def parse(text: bytes, rules: Rules) -> Block | None:
    """Rows of whole lines (`text` ends in a line feed); None where any line breaks the rules."""
    text = b"\n" + _COMMENT.sub(b"", text).replace(b"qid:", b"nan:")
    code = np.frombuffer(text, np.uint8)
    apart = (code <= _SPACE) | (code == _COLON)
    tokens = np.flatnonzero(apart[:-1] & ~apart[1:]) + 1
    n_tokens = np.diff(np.searchsorted(tokens, np.flatnonzero(code == _NEWLINE)))
    n_tokens = n_tokens[n_tokens > 0]
    first = np.cumsum(n_tokens) - n_tokens
    place = np.arange(tokens.size) - np.repeat(first, n_tokens)
    is_value = (place > 0) & (place % 2 == 0)
    after_colon = code[tokens - 1] == _COLON
    if (n_tokens % 2 == 0).any() or (after_colon != is_value).any():
        return None
    if np.count_nonzero(code == _COLON) != np.count_nonzero(after_colon):
        return None
    numbers = _numbers(text.translate(_ONE_A_LINE), tokens.size)
    if numbers is None:
        return None
    return _block(numbers, n_tokens, place, rules)


def _numbers(one_a_line: bytes, n_numbers: int) -> Floats | None:
    import pandas as pd

    if n_numbers == 0:
        return np.empty(0)
    try:
        table = pd.read_csv(
            io.BytesIO(one_a_line),
            header=None,
            dtype=np.float64,
            engine="c",
            low_memory=False,
            quoting=csv.QUOTE_NONE,
            keep_default_na=False,
            na_values=_MISSING,
        )
    except ValueError:  # pandas' ParserError is one; the caller says which line it is
        return None
    return table[0].to_numpy() if table.shape == (n_numbers, 1) else None


def _block(numbers: Floats, n_tokens: NDArray[Any], place: NDArray[Any], rules: Rules) -> Block | None:
    n_rows = n_tokens.size
    grades = numbers[place == 0]
    row = np.repeat(np.arange(n_rows), (n_tokens - 1) // 2)
    key, value = numbers[place % 2 == 1], numbers[(place > 0) & (place % 2 == 0)]
    is_query = np.isnan(key)
    query = np.full(n_rows, np.nan)
    query[row[is_query]] = value[is_query]
    misplaced = np.count_nonzero(is_query & (place[place % 2 == 1] != 1)) > 0
    if misplaced or bad_grades(grades).any():
        return None
    if not rules.grouped and not ((query == np.floor(query)) & (np.abs(query) < LARGEST_QUERY)).all():
        return None
    row, column, value = row[~is_query], key[~is_query] - rules.first_index, value[~is_query]
    if not ((column >= 0) & (column < rules.max_features) & (column == np.floor(column))).all():
        return None
    columns = column.astype(np.int64)
    entry = row * rules.max_features + columns
    if (np.diff(entry) <= 0).any() and np.unique(entry).size < entry.size:
        return None
    queries = np.zeros(n_rows, np.int64) if rules.grouped else query.astype(np.int64)
    return Block(grades.astype(np.int32), queries, row, columns, as_features(value))
