"""Files of one split -> its spool, in blocks of whole lines, so that memory does not grow with the files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.datasets._paths import open_bytes
from harness.datasets.letor.faults import first_fault
from harness.datasets.letor.lines import Rules, parse
from harness.datasets.letor.store import Spool
from harness.errors import DataError

_BLOCK_BYTES = 4 << 20
_LONGEST_LINE_BYTES = 64 << 20
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def read_split(spool: Spool, files: tuple[Path, ...], group_files: tuple[Path, ...], rules: Rules) -> Spool:
    """Parse `files` into `spool`; DataError with file and line for the first bad one."""
    rules = replace(rules, grouped=bool(group_files))
    for path in files:
        line = 1
        for text in _blocks(path):
            block = parse(text, rules)
            if block is None:
                raise first_fault(text, line, path, rules)
            spool.append(block)
            line += text.count(b"\n")
    if spool.n_rows == 0:
        raise DataError("no rows", where=_joined(files), remedy="give a file with at least one query")
    if spool.width == 0:
        raise DataError("no features, only grades", where=_joined(files), remedy="write features as index:value")
    if group_files:
        sizes = np.concatenate([_group_sizes(path) for path in group_files])
        if int(sizes.sum()) != spool.n_rows:
            raise DataError(
                f"groups of {int(sizes.sum())} rows in all, but {_joined(files)} has {spool.n_rows}",
                where=_joined(group_files),
                remedy="give the group files that belong to these rows, in the same order",
            )
        spool.group_by(sizes)
    return spool


def _blocks(path: Path) -> Iterator[bytes]:
    """The file in pieces of about `_BLOCK_BYTES`, each of whole lines, each line with its line feed."""
    with open_bytes(path) as file:
        held = file.read(len(_BYTE_ORDER_MARK)).removeprefix(_BYTE_ORDER_MARK)
        while piece := file.read(_BLOCK_BYTES):
            text = held + piece
            end = text.rfind(b"\n") + 1
            held = text[end:]
            if len(held) > _LONGEST_LINE_BYTES:
                raise DataError(
                    f"a line of more than {_LONGEST_LINE_BYTES >> 20} MiB",
                    where=str(path),
                    remedy="check that this is an SVMlight text file",
                )
            if end:
                yield text[:end]
        if held:
            yield held + b"\n"


def _group_sizes(path: Path) -> NDArray[np.int64]:
    with open_bytes(path) as file:
        lines = file.read().split(b"\n")
    sizes = []
    for number, line in enumerate(lines, 1):
        text = line.strip().decode("utf-8", "backslashreplace")
        if text:
            if not text.isdecimal() or int(text) == 0:
                raise DataError(
                    f"group size {text[:40]!r}", where=f"{path}:{number}", remedy="one whole number above 0 a line"
                )
            sizes.append(int(text))
    return np.array(sizes, np.int64)


def _joined(files: tuple[Path, ...]) -> str:
    return ", ".join(str(path) for path in files)
