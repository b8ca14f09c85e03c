"""A forest of `<` splits, float32 or a base score in LightGBM's terms: `<=`, float64, a sum of trees and no more."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from harness.ranking_data import Floats
from harness.trees.forest import LEAF, Forest, Tree
from harness.trees.ranks import left_edges


def in_lightgbm_terms(forest: Forest) -> Forest:
    """The same leaf of every tree for every row; the base score is a tree of one leaf.

    Scores differ by how their sum is rounded: float64 here. An average stays one, which LightGBM's text refuses.
    ModelError for a split on `x < -inf`.
    """
    trees = tuple(replace(tree, threshold=_edges(tree, forest)) for tree in forest.trees)
    if forest.base_score:
        trees += (_constant(forest.base_score),)
    return replace(forest, trees=trees, operator="<=", threshold_type="float64", base_score=0.0)


def _edges(tree: Tree, forest: Forest) -> Floats:
    edge = tree.threshold.copy()
    edge[tree.is_numerical] = left_edges(tree.threshold[tree.is_numerical], forest.operator, lightgbm_zero=False)
    return edge


def _constant(value: float) -> Tree:
    none = np.full(1, LEAF, dtype=np.int32)
    return Tree(none, none, none, np.zeros(1), np.zeros(1, dtype=bool), np.array([value]), np.zeros(1))
