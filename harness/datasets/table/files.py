"""CSV, TSV and Parquet files -> data frames."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from harness.datasets._paths import open_bytes
from harness.errors import DataError

if TYPE_CHECKING:
    from harness.datasets.table import Options

_TAB_SUFFIXES = {".tsv", ".tab", ".txt"}


def read_frames(paths: tuple[Path, ...], options: Options) -> list[tuple[Path, pd.DataFrame]]:
    """Each file with its frame, columns named by strings; DataError where a file can't be read or has no rows."""
    frames = [(path, read_frame(path, options)) for path in paths]
    for path, frame in frames:
        if frame.empty:
            raise DataError("no rows", where=str(path), remedy="give a file with at least one query")
    return frames


def read_frame(path: Path, options: Options) -> pd.DataFrame:
    """One file as a frame whose columns are named by strings."""
    suffix = path.with_suffix("").suffix if path.suffix == ".gz" else path.suffix
    parquet = suffix.lower() in {".parquet", ".pq"} if options.format is None else options.format == "parquet"
    frame = _read_parquet(path) if parquet else _read_text(path, suffix.lower(), options)
    frame.columns = [str(column) for column in frame.columns]
    repeated = frame.columns[frame.columns.duplicated()]
    if len(repeated):
        raise DataError(f"two columns named {repeated[0]!r}", where=str(path), remedy="give each column its own name")
    return frame


def _read_text(path: Path, suffix: str, options: Options) -> pd.DataFrame:
    separator = options.separator or ("\t" if suffix in _TAB_SUFFIXES else ",")
    with open_bytes(path) as file:
        try:
            return pd.read_csv(
                file,
                sep=separator,
                header=0 if options.header else None,
                quoting=csv.QUOTE_MINIMAL if options.quoting else csv.QUOTE_NONE,
                index_col=False,
                low_memory=False,
                encoding="utf-8-sig",
            )
        except pd.errors.EmptyDataError:
            return pd.DataFrame()
        except (pd.errors.ParserError, UnicodeDecodeError) as error:
            raise DataError(
                f"not a table: {str(error).strip()}",
                where=str(path),
                remedy="check separator, header and quoting, and that the file is UTF-8",
            ) from error


def _read_parquet(path: Path) -> pd.DataFrame:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise DataError(
            "reading Parquet needs pyarrow, which is not installed",
            where=str(path),
            remedy="pip install 'ranking-latency-harness[parquet]', or convert the file to CSV",
        ) from error
    try:
        with pq.ParquetFile(path) as file:
            return pd.DataFrame(file.read().to_pandas(ignore_metadata=True))
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"not a Parquet file: {error}", where=str(path), remedy="check the path and format") from error
