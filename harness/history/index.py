"""The SQLite index over a folder of results: one row for each finished run, to save reading its files again.

It holds nothing that the files do not: without it, or where it is damaged or of another version, it is made anew. A row
is read again where its file has another size or time, and another digest.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from harness.history.point import MEASURES, Figure, Point, point_of_capacity, point_of_report
from harness.records import Report
from harness.studies import Capacity

INDEX = "history.sqlite"
VERSION = 1
_FILES = ("result.json", "capacity.json")
_FACTS = ("run", "kind", "name", "created", "status", "subject")
_FIGURES = tuple(f"{measure}{bound}" for measure in MEASURES for bound in ("", "_lower", "_upper"))
_COLUMNS = ("file", "n_bytes", "mtime_ns", "sha256", *_FACTS, "machine", "question", *_FIGURES)


@dataclass(frozen=True)
class Indexed:
    """What lies in a folder of results: points from the oldest, files that can't be read, and what the index met."""

    points: tuple[Point, ...]
    problems: tuple[str, ...]
    notes: tuple[str, ...]


def indexed(root: Path) -> Indexed:
    """Bring the index of `root` up to date and read it; where it can't be written, one in memory serves."""
    path = root / INDEX
    try:
        return _refreshed(root, str(path))
    except sqlite3.OperationalError as error:  # a folder or disk that can't be written, or a lock that is held
        found = _refreshed(root, ":memory:")
        return Indexed(found.points, found.problems, (f"{path}: {error}; the index was made in memory",))
    except (sqlite3.DatabaseError, ValueError) as error:  # no database, or rows that are none of ours
        return _made_anew(root, path, f"{path}: {_reason(error)}")


def _made_anew(root: Path, path: Path, why: str) -> Indexed:
    """The index without what was there, and without its journals: SQLite would play those back into the new one."""
    try:
        for suffix in ("", "-journal", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        found, how = _refreshed(root, str(path)), "anew from the files"
    except (OSError, sqlite3.OperationalError):
        found, how = _refreshed(root, ":memory:"), "in memory"
    return Indexed(found.points, found.problems, (f"{why}; the index was made {how}",))


def _refreshed(root: Path, database: str) -> Indexed:
    with closing(sqlite3.connect(database, timeout=30, isolation_level=None)) as index:
        index.execute("BEGIN IMMEDIATE")
        notes = _prepared(index, database)
        known = {row[0]: row[1:] for row in index.execute("SELECT file, n_bytes, mtime_ns, sha256 FROM runs")}
        problems = []
        seen = set()
        for file in finished_files(root):
            name = file.relative_to(root).as_posix()
            try:
                _update(index, root, file, known.get(name))
                seen.add(name)
            except (OSError, ValueError) as error:
                problems.append(f"{name}: {_reason(error)}")
        index.executemany("DELETE FROM runs WHERE file = ?", [(name,) for name in known if name not in seen])
        rows = index.execute(f"SELECT {', '.join(_COLUMNS[4:])} FROM runs ORDER BY created, run").fetchall()  # noqa: S608  (names of ours)
        index.execute("COMMIT")
    return Indexed(tuple(map(_point, rows)), tuple(problems), notes)


def finished_files(root: Path) -> Iterator[Path]:
    """The results of runs and capacity searches at any depth; links are not followed, nor are runs looked into."""
    for folder, folders, files in os.walk(root):
        found = [name for name in _FILES if name in files]
        folders[:] = [] if found else sorted(name for name in folders if not name.startswith("."))
        yield from (Path(folder) / name for name in found)


def _prepared(index: sqlite3.Connection, database: str) -> tuple[str, ...]:
    (version,) = index.execute("PRAGMA user_version").fetchone()
    if version != VERSION:
        index.execute("DROP TABLE IF EXISTS runs")
    index.execute(f"CREATE TABLE IF NOT EXISTS runs ({', '.join(_COLUMNS)}, PRIMARY KEY (file))")
    index.execute(f"PRAGMA user_version = {VERSION}")
    stale = version not in (0, VERSION)
    return (f"{database}: of another version; the index was made anew from the files",) if stale else ()


def _update(index: sqlite3.Connection, root: Path, file: Path, known: tuple[int, int, str] | None) -> None:
    """Make the file's row true to it. OSError or ValueError where the file can't be read."""
    about = file.stat()
    stamp = about.st_size, about.st_mtime_ns
    name = file.relative_to(root).as_posix()
    if known is not None and known[:2] == stamp:
        return
    content = file.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if known is not None and known[2] == digest:
        index.execute("UPDATE runs SET n_bytes = ?, mtime_ns = ? WHERE file = ?", (*stamp, name))
        return
    point = _read(file.parent.relative_to(root).as_posix(), file.name, content)
    values = [name, *stamp, digest, *(getattr(point, fact) for fact in _FACTS)]
    values += [json.dumps(point.machine), json.dumps(point.question)]
    for measure in MEASURES:
        figure = point.figure(measure)
        values += [figure.value, figure.lower, figure.upper]
    places = ", ".join("?" * len(_COLUMNS))
    index.execute(f"INSERT OR REPLACE INTO runs VALUES ({places})", values)  # noqa: S608  (question marks)


def _read(run: str, name: str, content: bytes) -> Point:
    if name == "capacity.json":
        return point_of_capacity(run, Capacity.model_validate_json(content))
    return point_of_report(run, Report.model_validate_json(content))


def _point(row: tuple[object, ...]) -> Point:
    """A row as a point; SQLite keeps NaN as NULL."""
    facts = dict(zip(_FACTS, row, strict=False))
    machine, question = (json.loads(str(text)) for text in row[len(_FACTS) : len(_FACTS) + 2])
    numbers = [float("nan") if number is None else number for number in row[len(_FACTS) + 2 :]]
    triples = zip(numbers[::3], numbers[1::3], numbers[2::3], strict=True)
    figures = {
        measure: Figure.model_validate({"value": value, "lower": lower, "upper": upper})
        for measure, (value, lower, upper) in zip(MEASURES, triples, strict=True)
    }
    known = {measure: figure for measure, figure in figures.items() if figure.known}
    return Point.model_validate({**facts, "machine": machine, "question": question, "figures": known})


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return f"damaged: {error.errors()[0]['msg']}"
    return f"can't read: {getattr(error, 'strerror', None) or error}"
