"""Forest to XGBoost's JSON model format, in the frame of the model it came from.

The frame (objective and its parameters, base score, feature names and types, attributes) is kept; the booster becomes
a plain `gbtree` of one tree per round, whatever it was, because a Forest's leaf values already hold the weights of
dropped trees. Schema: XGBoost's documentation, "Introduction to Model IO".
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from harness.errors import ModelError
from harness.trees.forest import Forest, Tree

_NO_PARENT = 2**31 - 1
_LEFT_OUT = ("best_iteration", "best_score")  # of the trees that were


def to_json(forest: Forest, source: str) -> str:
    """The model as a file that xgboost.Booster(model_file=...) scores like the forest, framed like the JSON `source`.

    ModelError for what the format has no place for (`<=` splits, float64, averages, empty sets of categories), and for
    a source that is no tree model of XGBoost.
    """
    if forest.operator != "<" or forest.threshold_type != "float32" or forest.average:
        raise ModelError("XGBoost's JSON holds sums of float32 trees with `<` splits, which this forest is not")
    try:
        model = json.loads(source)
        learner = model["learner"]
        booster = learner["gradient_booster"]
        trained = booster.get("gbtree", booster)["model"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(
            "its model.json is no tree model of XGBoost", remedy="build the bundle again from the model's own file"
        ) from error
    n_trees = len(forest.trees)
    learner["attributes"] = {key: v for key, v in learner.get("attributes", {}).items() if key not in _LEFT_OUT}
    learner["gradient_booster"] = {
        "name": "gbtree",
        "model": {
            **trained,
            "gbtree_model_param": {"num_parallel_tree": "1", "num_trees": str(n_trees)},
            "iteration_indptr": list(range(n_trees + 1)),
            "tree_info": [0] * n_trees,
            "trees": [_tree(tree, index, forest.n_features) for index, tree in enumerate(forest.trees)],
        },
    }
    return json.dumps(model, separators=(",", ":"))


def _tree(tree: Tree, index: int, n_features: int) -> dict[str, Any]:
    inner, categorical = ~tree.is_leaf, tree.is_categorical
    parents = np.full(tree.n_nodes, _NO_PARENT, dtype=np.int64)
    parents[tree.left[inner]] = parents[tree.right[inner]] = np.flatnonzero(inner)
    nodes = np.flatnonzero(categorical).tolist()
    sets = [tree.categories(node).tolist() for node in nodes]
    sizes = [len(listed) for listed in sets]
    if 0 in sizes:
        node = nodes[sizes.index(0)]
        raise ModelError(f"tree {index}, node {node} splits by a set of no categories, which XGBoost's JSON can't say")
    return {
        "base_weights": [0.0] * tree.n_nodes,
        "categories": [category for listed in sets for category in listed],
        "categories_nodes": nodes,
        "categories_segments": [sum(sizes[:place]) for place in range(len(sizes))],
        "categories_sizes": sizes,
        # XGBoost sends the listed categories right, so the children of such a split change places
        "default_left": (tree.default_left ^ categorical).astype(int).tolist(),
        "id": index,
        "left_children": np.where(categorical, tree.right, tree.left).tolist(),
        "loss_changes": [0.0] * tree.n_nodes,
        "parents": parents.tolist(),
        "right_children": np.where(categorical, tree.left, tree.right).tolist(),
        "split_conditions": np.where(inner, tree.threshold, tree.value).astype(np.float32).tolist(),
        "split_indices": np.where(inner, tree.feature, 0).tolist(),
        "split_type": categorical.astype(int).tolist(),
        "sum_hessian": tree.cover.tolist(),
        "tree_param": {
            "num_deleted": "0",
            "num_feature": str(n_features),
            "num_nodes": str(tree.n_nodes),
            "size_leaf_vector": "1",
        },
    }
