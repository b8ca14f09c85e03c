"""Which column of a table is the grade and which the query: by their names, else by what they hold."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.datasets._numbers import TOP_GRADE
from harness.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    import pandas as pd

_GRADES = ("grade", "label", "relevance", "rel", "relevancelabel", "relevancegrade", "target", "rating", "y")
_QUERIES = (
    "query",
    "qid",
    "queryid",
    "searchid",
    "srchid",
    "requestid",
    "sessionid",
    "impressionid",
    "groupid",
    "group",
)
_IDENTIFIER = re.compile(r"(^id|_id|Id)$")


def role(frame: pd.DataFrame, wanted: str, what: str, taken: Sequence[str] = ()) -> tuple[str, bool]:
    """The column that is `what` (grade or query), and whether it was guessed from what columns hold.

    `wanted` is the name that the user gave, or empty. UsageError where there is none, or nothing looks like one.
    """
    columns = [str(column) for column in frame.columns]
    if wanted:
        if wanted not in columns:
            raise UsageError(
                f"no column {wanted!r}{did_you_mean(wanted, columns)}",
                where=f"--{what}",
                remedy="without a header, columns are named by position from 0",
            )
        return wanted, False
    known = _GRADES if what == "grade" else _QUERIES
    plain = {re.sub(r"[^a-z]", "", column.lower()): column for column in reversed(columns) if column not in taken}
    by_name = next((plain[name] for name in known if name in plain), None)
    if by_name is not None:
        return by_name, False
    looks_like = _holds_grades if what == "grade" else _holds_queries
    by_content = next((column for column in columns if column not in taken and looks_like(frame[column])), None)
    if by_content is None:
        shown = ", ".join(columns[:20]) + (", ..." if len(columns) > 20 else "")
        raise UsageError(f"no column looks like the {what}, of {shown}", remedy=f"name it with --{what} COLUMN")
    return by_content, True


def identifiers(columns: Sequence[str]) -> tuple[str, ...]:
    """Columns that name things, such as item_id: numbers, but no features."""
    return tuple(column for column in columns if _IDENTIFIER.search(column))


def _holds_grades(column: pd.Series[Any]) -> bool:
    """Few distinct whole numbers from 0, both the positive ones and 0 among them."""
    values = column.to_numpy()
    if values.dtype.kind not in "iu" or not values.size:
        return False
    return bool(values.min() == 0 and 0 < values.max() <= TOP_GRADE)


def _holds_queries(column: pd.Series[Any]) -> bool:
    """Whole numbers or text whose equal values stand together, in several groups of several rows."""
    values = column.to_numpy()
    if values.dtype.kind not in "iuOTU" or values.size < 2:
        return False
    n_runs = 1 + int(np.count_nonzero(values[1:] != values[:-1]))
    return 1 < n_runs < values.size and int(column.nunique()) == n_runs
