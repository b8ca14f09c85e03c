"""The user's data files: SVMlight, CSV, TSV or Parquet, and the keys that read them, from their first lines."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.datasets._paths import open_bytes
from harness.errors import DataError, UsageError
from harness.init.columns import identifiers, role

if TYPE_CHECKING:
    import pandas as pd

_HEAD_BYTES = 1 << 20
_HEAD_ROWS = 2000
_SVMLIGHT = re.compile(r"^-?[\d.]+(\s+qid:\d+)?(\s+\d+:\S+)+\s*(#.*)?$")
_INDEX = re.compile(r"\s(\d+):")
_PARQUET = b"PAR1"
_TAB_SUFFIXES = (".tsv", ".tab", ".txt")


@dataclass(frozen=True)
class DataKeys:
    """A `data` section without its files: the dataset, its keys, and which of them are guesses.

    columns: those that may be features, in their order; empty where lines name features by number. groups_beside:
    whether each file has one of group sizes beside, of the same name and `.query`.
    """

    kind: str
    format: str
    keys: dict[str, Any] = field(default_factory=dict)
    guessed: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    groups_beside: bool = False


def read_data(path: Path, query: str, grade: str) -> DataKeys:
    """How to read a data file; `query` and `grade` name columns, or are empty. UsageError where it can't be told."""
    if not path.is_file():
        raise UsageError("no such data file", where=str(path), remedy="check --train and --test")
    with open_bytes(path) as file:
        head = file.read(_HEAD_BYTES)
    if head.startswith(_PARQUET):
        return _table(_parquet_head(path), {}, query, grade, "Parquet")
    whole = head[: head.rfind(b"\n") + 1] or head
    try:
        lines = [line for line in whole.decode("utf-8-sig").splitlines() if line.strip()][: _HEAD_ROWS + 1]
    except UnicodeDecodeError as error:
        raise DataError(
            f"neither Parquet nor text: {error.reason}", where=str(path), remedy="give SVMlight, CSV, TSV or Parquet"
        ) from error
    if not lines:
        raise DataError("the file is empty", where=str(path), remedy="give a file with at least one query")
    rows = [line for line in lines if not line.startswith("#")]
    if rows and all(map(_SVMLIGHT.match, rows[:20])):
        return _svmlight(path, rows)
    return _text_table(path, lines, query, grade)


def _svmlight(path: Path, rows: list[str]) -> DataKeys:
    """Groups of rows by qid, else by the file beside that LightGBM's examples have."""
    keys: dict[str, Any] = {}
    groups_beside = "qid:" not in rows[0]
    if groups_beside:
        beside = path.with_name(f"{path.name}.query")
        if not beside.is_file():
            raise DataError(
                "its lines name no query (qid:)", where=str(path),
                remedy=f"add qid: to each line, or put the sizes of the query groups into {beside.name}, one a line",
            )  # fmt: skip
    if any(int(index) == 0 for line in rows for index in _INDEX.findall(line)):
        keys["first_index"] = 0
    return DataKeys("letor", "SVMlight", keys, groups_beside=groups_beside)


def _text_table(path: Path, lines: list[str], query: str, grade: str) -> DataKeys:
    import io

    import pandas as pd

    suffix = (path.with_suffix("") if path.suffix == ".gz" else path).suffix.lower()
    by_suffix = "\t" if suffix in _TAB_SUFFIXES else ","
    separator = max(("\t", ",", ";", "|"), key=lambda mark: (lines[0].count(mark), mark == by_suffix))
    keys: dict[str, Any] = {} if separator == by_suffix else {"separator": separator}
    cells = next(csv.reader([lines[0]], delimiter=separator))
    if len(cells) < 3:
        raise DataError(
            "neither SVMlight nor a table with a query, a grade and a feature", where=str(path),
            remedy="give SVMlight lines with qid, or CSV, TSV or Parquet",
        )  # fmt: skip
    if all(map(_is_number, cells)):
        keys["header"] = False
    try:
        frame = pd.read_csv(
            io.StringIO("\n".join(lines)), sep=separator, header=None if "header" in keys else 0, index_col=False
        )
    except pd.errors.ParserError as error:
        raise DataError(f"not a table: {str(error).strip()}", where=str(path), remedy="check its separator") from error
    return _table(frame, keys, query, grade, "TSV" if separator == "\t" else "CSV")


def _parquet_head(path: Path) -> pd.DataFrame:
    try:
        import pyarrow.parquet as pq
    except ImportError as error:
        raise DataError(
            "reading Parquet needs pyarrow, which is not installed", where=str(path),
            remedy="pip install 'ranking-latency-harness[parquet]', or convert the file to CSV",
        ) from error  # fmt: skip
    import pyarrow as pa

    try:
        with pq.ParquetFile(path) as file:
            return next(file.iter_batches(_HEAD_ROWS)).to_pandas()
    except (pa.ArrowException, OSError, StopIteration) as error:
        raise DataError(
            f"not a Parquet file with rows: {error}", where=str(path), remedy="write it again, with at least one query"
        ) from error


def _table(frame: pd.DataFrame, keys: dict[str, Any], query: str, grade: str, file_format: str) -> DataKeys:
    import pandas as pd

    frame.columns = [str(column) for column in frame.columns]
    query, query_guessed = role(frame, query, "query", taken=(grade,))
    grade, grade_guessed = role(frame, grade, "grade", taken=(query,))
    guessed = (*(("query",) if query_guessed else ()), *(("grade",) if grade_guessed else ()))
    rest = [c for c in frame.columns if c not in (query, grade) and pd.api.types.is_numeric_dtype(frame[c].dtype)]
    return DataKeys("table", file_format, {**keys, "query": query, "grade": grade}, guessed, tuple(rest))


def feature_keys(data: DataKeys, n_features: int | None, names: tuple[str, ...]) -> dict[str, Any]:
    """Keys that give a model of `n_features` (None: any number) its features; UsageError where the columns can't."""
    if not data.columns:
        return {} if n_features is None else {"n_features": n_features}
    if names and len(names) == n_features and set(names) <= set(data.columns):
        return {} if names == data.columns else {"features": list(names)}
    ignored = identifiers(data.columns)
    if n_features in (None, len(data.columns) - len(ignored)):
        return {"ignore": list(ignored)} if ignored else {}
    if n_features == len(data.columns):
        return {}
    raise UsageError(
        f"the model takes {n_features} features, the data has {len(data.columns)} numeric columns beside "
        f"{data.keys['query']} and {data.keys['grade']}",
        where="--model, --train",
        remedy="give files with the columns that the model was trained on, in its order",
    )


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
