"""Trees that LightGBM grew on top of a forest, added to it in the forest's own terms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from harness.trees.forest import Forest, Tree
from harness.trees.ranks import floored


def boosted_on(before: Forest, grown: Forest) -> Forest:
    """The sum of both, of the kind of `before`. `grown` is LightGBM's: float64, `<=`.

    For float32 features each new split sends the same rows left in a forest of float32 and `<`: x <= t is x < the next
    float32 above the largest one up to t. New leaves are rounded to the forest's type.
    """
    return before.with_trees(before.trees + tuple(_like(tree, before) for tree in grown.trees))


def _like(tree: Tree, forest: Forest) -> Tree:
    threshold, value = tree.threshold, tree.value
    if forest.operator == "<":
        with np.errstate(over="ignore"):  # a split of missing values from all others
            above = np.nextafter(floored(threshold), np.float32(np.inf)).astype(np.float64)
        threshold = np.where(tree.is_numerical, above, 0.0)
    if forest.threshold_type == "float32":
        threshold = threshold if forest.operator == "<" else floored(threshold).astype(np.float64)
        value = value.astype(np.float32).astype(np.float64)
    return replace(tree, threshold=threshold, value=value)
