"""The packed file as a whole: a forest written, and read back through a memory map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.errors import ModelError
from harness.trees.forest import Forest
from harness.trees.formats.packed.bits import BitReader, BitWriter
from harness.trees.formats.packed.header import N_DIGEST_BYTES, Header, digest_of, packed_header, read_header
from harness.trees.formats.packed.leaves import Narrowed, read_leaves, write_leaves
from harness.trees.formats.packed.level_order import NO_COLUMNS, NO_SPLITS, columns_of, put_together, shape_of
from harness.trees.formats.packed.shape import read_shape, write_shape
from harness.trees.formats.packed.splits import read_splits, write_splits
from harness.trees.formats.packed.tables import read_columns, write_columns
from harness.trees.joined import Joined, Places

PACKED = "model.packed"
_REMEDY = "copy the file again, or build the bundle again"


def save(forest: Forest, path: Path, codes: Sequence[Narrowed] = ()) -> int:
    """Write a forest; the bytes it takes. `codes`, one per tree, are its leaves where they are to be stored narrow.

    ModelError for a forest of more levels, or codes of another value, than the format has place for.
    """
    content = pack(forest, codes)
    path.write_bytes(content)
    return len(content)


def load(path: Path) -> Forest:
    """The forest of a file, its nodes numbered level by level; ModelError where the file is damaged or of another kind.

    Its bytes are mapped, not copied, and nothing is allocated for more nodes than they can hold.
    """
    try:
        data = np.memmap(path, dtype=np.uint8, mode="r")
    except (ValueError, OSError) as error:
        raise ModelError(f"can't be read: {error}", where=str(path), remedy=_REMEDY) from error
    try:
        return unpack(data)
    except ModelError as error:
        raise ModelError(error.what, where=str(path), remedy=error.remedy or _REMEDY) from error


def pack(forest: Forest, codes: Sequence[Narrowed] = ()) -> bytes:
    """The file's content."""
    nodes = Joined.of(forest.trees)
    levels, splits, leaves = shape_of(nodes)
    columns, known = columns_of(nodes, splits, forest.operator)
    writer = BitWriter()
    write_shape(writer, levels)
    if splits.size:
        write_columns(writer, columns, forest.n_features)
        write_splits(writer, known, columns)
    encoding = write_leaves(writer, forest, nodes, leaves, codes)
    header = Header(replace(forest, trees=()), encoding, len(forest.trees), forest.n_nodes, columns.feature.size)
    content = packed_header(header) + writer.getvalue()
    return content + digest_of(content)


def unpack(data: NDArray[np.uint8]) -> Forest:
    """The forest of a file's content; ModelError where it is damaged."""
    header, begin = read_header(data)
    reader = BitReader(data, 8 * begin, 8 * (data.size - N_DIGEST_BYTES))
    levels = read_shape(reader, header.n_trees, header.n_nodes)
    tree = _trees_of(levels, header.n_trees)
    is_split = np.concatenate(levels)
    n_splits = int(np.count_nonzero(is_split))
    columns, splits = NO_COLUMNS, NO_SPLITS
    if n_splits:
        columns = read_columns(reader, header.n_columns, header.bare.n_features)
        splits = read_splits(reader, n_splits, columns)
    value = read_leaves(reader, tree[~is_split], header.n_trees, header.encoding, header.bare.threshold_type)
    if reader.n_left >= 8 or reader.read(reader.n_left, 1).any():
        raise ModelError("goes on after its last leaf")
    return put_together(header.bare, levels, columns, splits, tree, value)


def _trees_of(levels: list[NDArray[np.bool_]], n_trees: int) -> Places:
    """(n_nodes,) which tree each node is of, in level order."""
    found = [np.arange(n_trees)]
    for level in levels[:-1]:
        found.append(np.repeat(found[-1][level], 2))
    return np.concatenate(found)
