"""Forest to LightGBM's text format (version v4), and the checks a LightGBM text needs before Treelite may read it.

The text holds what scoring needs and nothing else. Two things LightGBM does by itself can't be written down: it reads
every |x| <= 1e-35 as 0 (it draws no threshold inside that band, so its own models are not affected), and a category
between -1 and 0 as 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.errors import ModelError
from harness.trees.forest import Forest, Ints, Tree

_CATEGORICAL, _DEFAULT_LEFT, _MISSING_NAN = 1, 2, 2 << 2
_WORD_BITS = 32
_MISSING_MASK, _MISSING_ZERO = 3 << 2, 1 << 2


def to_text(forest: Forest, *, objective: str = "lambdarank") -> str:
    """The model as a file that lightgbm.Booster(model_file=...) scores bit for bit like the forest.

    ModelError for what LightGBM's format has no place for (`<` splits, float32 sums, a base score, categorical splits
    that send missing values left), and for an averaged ensemble, of which LightGBM gives the sum as its raw score.
    """
    if forest.operator != "<=" or forest.threshold_type != "float64" or forest.base_score != 0.0 or forest.average:
        raise ModelError(
            "LightGBM's text holds sums of float64 trees with `<=` splits and no base score, which this forest is not"
        )
    lines = [
        "tree",
        "version=v4",
        "num_class=1",
        "num_tree_per_iteration=1",
        "label_index=0",
        f"max_feature_idx={forest.n_features - 1}",
        f"objective={objective}",
        "feature_names=" + " ".join(f"Column_{i}" for i in range(forest.n_features)),
        "feature_infos=" + " ".join(["[-inf:inf]"] * forest.n_features),
        "",
    ]
    for index, tree in enumerate(forest.trees):
        missing_left = tree.is_categorical & tree.default_left
        if missing_left.any():
            raise ModelError(
                f"tree {index}, node {int(np.argmax(missing_left))} splits by category and sends missing values left, "
                "which LightGBM's text can't say"
            )
        lines += [f"Tree={index}", *_tree_lines(tree), "", ""]
    return "\n".join([*lines, "end of trees", ""])


def objective_of(text: str) -> str:
    """The objective line of a LightGBM text."""
    return _values(text, "objective")[0] if _values(text, "objective") else "regression"


def check_text(text: str, *, where: str) -> None:
    """ModelError where Treelite would read a LightGBM text wrongly: zero as missing, linear leaves, or no model."""
    if not text.startswith("tree\n") and not text.startswith("tree\r\n"):
        raise ModelError("not a LightGBM model: its first line is not `tree`", where=where, remedy="give model.txt")
    if "\nend of trees" not in text:
        raise ModelError("is cut off: it has no line `end of trees`", where=where, remedy="save or copy it again")
    if any(value.strip() == "1" for value in _values(text, "is_linear")):
        raise ModelError(
            "has linear models in its leaves", where=where, remedy="train it with linear_tree=false: one value per leaf"
        )
    for tree, decisions in enumerate(_values(text, "decision_type")):
        try:
            kinds = np.array(decisions.split(), dtype=np.int64)
        except ValueError as error:
            raise ModelError(
                f"tree {tree} has an unreadable decision_type", where=where, remedy="save it again"
            ) from error
        zero = (kinds & _MISSING_MASK) == _MISSING_ZERO
        if zero.any():
            raise ModelError(
                f"tree {tree}, split {int(np.argmax(zero))} treats zero as missing, which compiled engines do not do",
                where=where,
                remedy="train it with zero_as_missing=false, with NaN for missing",
            )


def _values(text: str, key: str) -> list[str]:
    return [line[len(key) + 1 :].rstrip("\r") for line in text.split("\n") if line.startswith(f"{key}=")]


def _tree_lines(tree: Tree) -> list[str]:
    """One tree; LightGBM numbers splits and leaves apart, and names leaf i as child -(i + 1)."""
    order = np.concatenate(tree.levels())
    inner, leaves = order[~tree.is_leaf[order]], order[tree.is_leaf[order]]
    child = np.empty(tree.n_nodes, dtype=np.int64)
    child[inner] = np.arange(inner.size)
    child[leaves] = -1 - np.arange(leaves.size)
    categorical = tree.is_categorical[inner]
    decisions = np.where(tree.default_left[inner], _DEFAULT_LEFT, 0) | np.where(categorical, _CATEGORICAL, 0)
    thresholds = [
        str(n) if is_set else repr(t)
        for n, is_set, t in zip(
            (np.cumsum(categorical) - 1).tolist(), categorical.tolist(), tree.threshold[inner].tolist(), strict=True
        )
    ]
    zeros = " ".join(["0"] * inner.size)
    return [
        f"num_leaves={leaves.size}",
        f"num_cat={np.count_nonzero(categorical)}",
        f"split_feature={_join(tree.feature[inner])}",
        f"split_gain={zeros}",
        f"threshold={' '.join(thresholds)}",
        f"decision_type={_join(decisions | _MISSING_NAN)}",
        f"left_child={_join(child[tree.left[inner]])}",
        f"right_child={_join(child[tree.right[inner]])}",
        f"leaf_value={_join(tree.value[leaves])}",
        f"leaf_weight={' '.join(['0'] * leaves.size)}",
        f"leaf_count={_join(tree.cover[leaves].astype(np.int64))}",
        f"internal_value={zeros}",
        f"internal_weight={zeros}",
        f"internal_count={_join(tree.cover[inner].astype(np.int64))}",
        *_category_lines([tree.categories(node) for node in inner[categorical].tolist()]),
        "is_linear=0",
        "shrinkage=1",
    ]


def _category_lines(sets: list[Ints]) -> list[str]:
    """Sets as bit strings in words of 32, on end; none where no split has one."""
    if not sets:
        return []
    words = []
    for categories in sets:
        own = np.zeros(1 + int(categories.max(initial=0)) // _WORD_BITS, dtype=np.uint32)
        np.bitwise_or.at(own, categories // _WORD_BITS, np.uint32(1) << (categories % _WORD_BITS).astype(np.uint32))
        words.append(own)
    begin = np.cumsum([0, *(own.size for own in words)])
    return [f"cat_boundaries={_join(begin)}", f"cat_threshold={_join(np.concatenate(words))}"]


def _join(values: NDArray[Any]) -> str:
    return " ".join(map(repr, values.tolist()))
