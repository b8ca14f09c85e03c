"""Forest from and to a Treelite model (Treelite 4.x, through its field accessors and its model builder)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from treelite.model_builder import Metadata, ModelBuilder, PostProcessorFunc, TreeAnnotation

from harness.errors import ModelError
from harness.ranking_data import Floats
from harness.trees.forest import LEAF, NUMERICAL, Forest, Ints, Operator, Tree

_OPERATORS: dict[int, Operator] = {2: "<", 3: "<="}
_TASKS = {0: "kBinaryClf", 1: "kRegressor", 3: "kLearningToRank"}
_LEAF, _CATEGORICAL = 0, 2
_LARGEST_CATEGORY = np.iinfo(np.int32).max


def from_treelite(model: Any, *, where: str = "") -> Forest:
    """Read a treelite.Model; ModelError names the tree and node that a Forest can't hold, or that is malformed."""
    header = model.get_header_accessor()
    _check_scalar(header, where)
    n_features = int(header.get_field("num_feature")[0])
    operators: set[int] = set()
    trees = []
    for index in range(model.num_tree):
        tree, found = _read_tree(model.get_tree_accessor(index), n_features, f"tree {index}", where)
        trees.append(tree)
        operators |= found
    if not trees:
        raise ModelError("has no trees", where=where, remedy="train the model again")
    if operators - _OPERATORS.keys() or len(operators) > 1:
        raise ModelError("its splits must all be `<` or all be `<=`", where=where, remedy="export one kind of model")
    threshold_type = model.input_type
    if threshold_type != model.output_type:
        raise ModelError(f"thresholds of {threshold_type} with leaves of {model.output_type}", where=where)
    return Forest(
        trees=tuple(trees),
        n_features=n_features,
        operator=_OPERATORS[operators.pop()] if operators else "<=",
        threshold_type=threshold_type,
        base_score=float(header.get_field("base_scores")[0]),
        average=bool(header.get_field("average_tree_output")[0]),
        postprocessor=str(header.get_field("postprocessor")),
        sigmoid_alpha=float(header.get_field("sigmoid_alpha")[0]),
        task=_TASKS[int(header.get_field("task_type")[0])],
    )


def to_treelite(forest: Forest) -> Any:
    """A treelite.Model with the same types, order of trees, base score and post-processor."""
    builder = ModelBuilder(
        threshold_type=forest.threshold_type,
        leaf_output_type=forest.threshold_type,
        metadata=Metadata(forest.n_features, forest.task, forest.average, 1, [1], (1, 1)),
        tree_annotation=TreeAnnotation(len(forest.trees), [0] * len(forest.trees), [0] * len(forest.trees)),
        postprocessor=PostProcessorFunc(forest.postprocessor, sigmoid_alpha=forest.sigmoid_alpha),
        base_scores=[forest.base_score],
    )
    for tree in forest.trees:
        _write_tree(builder, tree, forest.operator)
    return builder.commit()


def _check_scalar(header: Any, where: str) -> None:
    n_target, n_class = int(header.get_field("num_target")[0]), int(header.get_field("num_class")[0])
    shape = tuple(int(n) for n in header.get_field("leaf_vector_shape"))
    if n_target != 1 or n_class != 1 or shape != (1, 1):
        raise ModelError(
            f"has several outputs ({n_target} targets, {n_class} classes, leaves of shape {shape})",
            where=where,
            remedy="a ranker gives one score per candidate: train it with a ranking, regression or binary objective",
        )
    if int(header.get_field("task_type")[0]) not in _TASKS:
        raise ModelError("is neither a ranking, a regression nor a binary model", where=where)


def _read_tree(accessor: Any, n_features: int, name: str, where: str) -> tuple[Tree, set[int]]:
    kind = accessor.get_field("node_type")
    inner, categorical = kind != _LEAF, kind == _CATEGORICAL
    if accessor.get_field("leaf_vector").size:
        raise ModelError(f"{name} has vectors in its leaves", where=where, remedy="train a single-output model")
    sets, swapped = _category_sets(accessor, categorical, name, where)
    left, right = accessor.get_field("cleft"), accessor.get_field("cright")
    category_set = np.full(kind.size, NUMERICAL, dtype=np.int32)
    category_set[categorical] = np.arange(len(sets))
    tree = Tree(
        left=np.where(inner, np.where(swapped, right, left), LEAF).astype(np.int32),
        right=np.where(inner, np.where(swapped, left, right), LEAF).astype(np.int32),
        feature=np.where(inner, accessor.get_field("split_index"), LEAF).astype(np.int32),
        threshold=np.where(inner & ~categorical, accessor.get_field("threshold"), 0.0).astype(np.float64),
        default_left=(accessor.get_field("default_left").astype(bool) ^ swapped) & inner,
        value=np.where(inner, 0.0, accessor.get_field("leaf_value")).astype(np.float64),
        cover=_cover(accessor, kind.size),
        category_set=category_set,
        sets=sets,
    )
    _check_structure(tree, inner, n_features, name, where)
    return tree, set(np.unique(accessor.get_field("cmp")[inner & ~categorical]).tolist())


def _category_sets(
    accessor: Any, categorical: NDArray[np.bool_], name: str, where: str
) -> tuple[tuple[Ints, ...], NDArray[np.bool_]]:
    """The set of each categorical split, and the splits (n_nodes,) that send it right, so that children swap places."""
    listed = accessor.get_field("category_list")
    ranges = [accessor.get_field(f"category_list_{end}")[categorical].astype(np.int64) for end in ("begin", "end")]
    swapped: NDArray[np.bool_] = categorical & accessor.get_field("category_list_right_child").astype(bool)
    sets = []
    for node, begin, end in zip(np.flatnonzero(categorical).tolist(), *ranges, strict=True):
        if not 0 <= begin <= end <= listed.size or (listed[begin:end] > _LARGEST_CATEGORY).any():
            raise ModelError(f"{name}, node {node} has a broken list of categories", where=where)
        sets.append(np.unique(listed[begin:end]).astype(np.int32))
    return tuple(sets), swapped


def _cover(accessor: Any, n_nodes: int) -> Floats:
    present: NDArray[np.uint8] = accessor.get_field("data_count_present")
    counts: NDArray[np.uint64] = accessor.get_field("data_count")
    known = present.size == n_nodes and counts.size == n_nodes and bool(present.all())
    return counts.astype(np.float64) if known else np.zeros(n_nodes)


def _check_structure(tree: Tree, inner: NDArray[np.bool_], n_features: int, name: str, where: str) -> None:
    """ModelError unless every node but the root has one parent and is reached, and every split is on a feature."""
    n_nodes = tree.n_nodes
    children = np.concatenate([tree.left[inner], tree.right[inner]])
    sound = n_nodes > 0 and ((children > 0) & (children < n_nodes)).all()
    sound = sound and (np.bincount(children, minlength=n_nodes)[1:] == 1).all()
    if not sound or sum(level.size for level in tree.levels()) != n_nodes:
        raise ModelError(f"{name} is not a tree: its child links are broken", where=where, remedy="export it again")
    outside = inner & ((tree.feature < 0) | (tree.feature >= n_features))
    if outside.any():
        node = int(np.argmax(outside))
        raise ModelError(
            f"{name}, node {node} splits on feature {int(tree.feature[node])} of {n_features}",
            where=where,
            remedy="export it again",
        )
    if np.isnan(tree.threshold).any() or not np.isfinite(tree.value).all():
        node = int(np.argmax(np.isnan(tree.threshold) | ~np.isfinite(tree.value)))
        raise ModelError(f"{name}, node {node} has a threshold or value that is not a number", where=where)


def _write_tree(builder: Any, tree: Tree, operator: Operator) -> None:
    counted = tree.cover[0] > 0
    left, right, feature = tree.left.tolist(), tree.right.tolist(), tree.feature.tolist()
    threshold, default_left, value = tree.threshold.tolist(), tree.default_left.tolist(), tree.value.tolist()
    cover, category_set = tree.cover.astype(np.int64).tolist(), tree.category_set.tolist()
    builder.start_tree()
    for node in np.concatenate(tree.levels()).tolist():
        builder.start_node(node)
        if left[node] == LEAF:
            builder.leaf(value[node])
        elif category_set[node] != NUMERICAL:
            builder.categorical_test(
                feature[node],
                default_left=default_left[node],
                category_list=tree.sets[category_set[node]].tolist(),
                category_list_right_child=False,
                left_child_key=left[node],
                right_child_key=right[node],
            )
        else:
            builder.numerical_test(
                feature[node],
                threshold[node],
                default_left=default_left[node],
                opname=operator,
                left_child_key=left[node],
                right_child_key=right[node],
            )
        if counted:
            builder.data_count(cover[node])
        builder.end_node()
    builder.end_tree()
