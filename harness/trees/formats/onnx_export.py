"""A forest as ONNX's TreeEnsembleRegressor (operator set ai.onnx.ml 3), with the same leaf for every float32 input.

The operator knows float32 thresholds only. A threshold is therefore moved to the largest float32 that its split sends
left (`harness.trees.ranks.left_edges`) and compared with `<=`; rounded to the nearest, as converters do, it would send
the values beside it to the wrong side. Leaves and their sum are float32.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx

from harness.errors import ModelError
from harness.trees.forest import Forest
from harness.trees.ranks import floored, left_edges

INPUT, OUTPUT = "x", "scores"
OPSET, TREE_OPSET, IR_VERSION = 17, 3, 9


def to_onnx(forest: Forest, *, lightgbm_zero: bool = False) -> onnx.ModelProto:
    """The model: x (n, n_features) float32, NaN for missing -> scores (n, 1) float32, without a post-processor.

    With `lightgbm_zero` every |x| up to 1e-35 counts as 0, as LightGBM itself has it. ModelError for a split on
    `x < -inf`, and for one by category.
    """
    for index, tree in enumerate(forest.trees):
        if tree.is_categorical.any():
            node = int(np.argmax(tree.is_categorical))
            raise ModelError(f"tree {index}, node {node} splits by category, which ONNX's operator of trees can't")
    make, tensor = onnx.helper, onnx.TensorProto.FLOAT
    node = make.make_node(
        "TreeEnsembleRegressor",
        [INPUT],
        [OUTPUT],
        domain="ai.onnx.ml",
        n_targets=1,
        base_values=[forest.base_score],
        **_nodes(forest, lightgbm_zero=lightgbm_zero),
        **_leaves(forest),
    )
    shapes = (INPUT, ["n", forest.n_features]), (OUTPUT, ["n", 1])
    ends = [[make.make_tensor_value_info(name, tensor, shape)] for name, shape in shapes]
    opsets = [make.make_opsetid("", OPSET), make.make_opsetid("ai.onnx.ml", TREE_OPSET)]
    graph = make.make_graph([node], "trees", *ends)
    return make.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="ranking-latency-harness")


def _nodes(forest: Forest, *, lightgbm_zero: bool) -> dict[str, list[Any]]:
    """The attributes that all nodes have, tree after tree."""
    trees = forest.trees
    leaf = np.concatenate([tree.is_leaf for tree in trees])
    edge = np.zeros(leaf.size, dtype=np.float32)
    threshold = np.concatenate([tree.threshold for tree in trees])[~leaf]
    edge[~leaf] = floored(left_edges(threshold, forest.operator, lightgbm_zero=lightgbm_zero))
    whole = {name: np.concatenate([getattr(tree, name) for tree in trees]) for name in ("feature", "left", "right")}
    return {
        "nodes_treeids": np.repeat(np.arange(len(trees)), [tree.n_nodes for tree in trees]).tolist(),
        "nodes_nodeids": np.concatenate([np.arange(tree.n_nodes) for tree in trees]).tolist(),
        "nodes_modes": np.where(leaf, "LEAF", "BRANCH_LEQ").tolist(),
        "nodes_featureids": np.maximum(whole["feature"], 0).tolist(),
        "nodes_values": edge.tolist(),
        "nodes_truenodeids": np.maximum(whole["left"], 0).tolist(),
        "nodes_falsenodeids": np.maximum(whole["right"], 0).tolist(),
        "nodes_missing_value_tracks_true": np.concatenate([t.default_left for t in trees]).astype(int).tolist(),
    }


def _leaves(forest: Forest) -> dict[str, list[Any]]:
    """Which node of which tree adds what; a mean over trees is a sum of smaller leaves."""
    share = 1 / len(forest.trees) if forest.average else 1.0
    values = np.concatenate([tree.value[tree.is_leaf] for tree in forest.trees])
    return {
        "target_treeids": np.repeat(np.arange(len(forest.trees)), [tree.n_leaves for tree in forest.trees]).tolist(),
        "target_nodeids": np.concatenate([np.flatnonzero(tree.is_leaf) for tree in forest.trees]).tolist(),
        "target_ids": [0] * values.size,
        "target_weights": (share * values).tolist(),
    }
