"""Size of a forest in the fewest bits, by one formula for every tree bundle, whatever file format it is kept in.

The forest is written as one preorder stream per tree plus tables, features and thresholds by rank:

    inner node   1 (kind) + ceil(log2 F) (which used feature) + ceil(log2 D_f) (which of its thresholds) + 1 (default)
    leaf         1 (kind) + leaf_bits
    tables       per used feature: 32 (its index) + 32 (D_f) + 32 D_f (its thresholds)

F is the number of features used and D_f the number of distinct thresholds of feature f. A set of categories counts as
a threshold, of 32 bits (how many) and 32 for each category. Features are float32, so a
threshold is exact in 32 bits. Child links cost nothing: preorder implies them.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from harness.records import ModelSize
from harness.trees.forest import NUMERICAL, Forest

_TABLE_ENTRY_BITS = 32


def packed_bits(forest: Forest, leaf_bits: int | None = None) -> int:
    """Bits of the packed forest. `leaf_bits` is the width of a stored leaf, by default that of the forest's type."""
    width = leaf_bits or _type_bits(forest)
    features = np.concatenate([tree.feature[~tree.is_leaf] for tree in forest.trees])
    bounds: dict[int, set[Any]] = {int(feature): set() for feature in np.unique(features)}
    for tree in forest.trees:
        for node in np.flatnonzero(~tree.is_leaf).tolist():
            of_set = tree.category_set[node] != NUMERICAL
            bound = tuple(tree.categories(node).tolist()) if of_set else float(tree.threshold[node])
            bounds[int(tree.feature[node])].add(bound)
    used, uses = np.unique(features, return_counts=True)
    distinct = np.array([len(bounds[int(feature)]) for feature in used], dtype=np.int64)
    n_categories = sum(len(bound) for own in bounds.values() for bound in own if isinstance(bound, tuple))
    feature_bits = _rank_bits(used.size)
    threshold_bits = sum(int(n) * _rank_bits(int(d)) for n, d in zip(uses, distinct, strict=True))
    inner_bits = features.size * (2 + feature_bits) + threshold_bits
    tables = _TABLE_ENTRY_BITS * (2 * used.size + int(distinct.sum()) + n_categories)
    return int(inner_bits + forest.n_leaves * (1 + width) + tables)


def model_size(forest: Forest, leaf_bits: int | None = None) -> ModelSize:
    """Trees, nodes, leaves, parameters (thresholds and leaf values) and packed bits per node; disk bytes are 0 here."""
    return ModelSize(
        n_trees=len(forest.trees),
        n_nodes=forest.n_nodes,
        n_leaves=forest.n_leaves,
        n_parameters=forest.n_nodes,
        packed_bits_per_node=packed_bits(forest, leaf_bits) / forest.n_nodes,
    )


def _rank_bits(n: int) -> int:
    return math.ceil(math.log2(n)) if n > 1 else 0


def _type_bits(forest: Forest) -> int:
    return int(np.dtype(forest.threshold_type).itemsize * 8)
