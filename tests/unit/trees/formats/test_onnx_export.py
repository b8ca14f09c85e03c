"""Trees as ONNX: the leaf of every candidate, on the values where a converter that rounds thresholds goes wrong."""

import numpy as np
import pytest

from harness.trees.forest import LEAF, Forest, Tree
from harness.trees.traverse import predict

pytest.importorskip("onnxruntime")
onnx = pytest.importorskip("onnx")
from harness.trees.formats.onnx_export import to_onnx  # noqa: E402


def stump(threshold, default_left=False, value=(1.0, 2.0)):
    return Tree(
        left=np.array([1, LEAF, LEAF], dtype=np.int32),
        right=np.array([2, LEAF, LEAF], dtype=np.int32),
        feature=np.array([0, LEAF, LEAF], dtype=np.int32),
        threshold=np.array([threshold, 0.0, 0.0]),
        default_left=np.array([default_left, False, False]),
        value=np.array([0.0, *value]),
        cover=np.zeros(3),
    )


def scores(forest, x, **options):
    import onnxruntime

    model = to_onnx(forest, **options)
    onnx.checker.check_model(model)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0][:, 0]


@pytest.mark.parametrize("operator", ["<", "<="])
def test_values_beside_a_threshold_go_where_the_forest_sends_them(operator):
    """0.1 in float64 lies between two float32 numbers; 0.5 is one; infinities and -0.0 are values too."""
    thresholds = (0.1, 0.5, 0.0, -1e-40, 3e38, 1e300)
    trees = tuple(stump(t, value=(0.0, float(2**i))) for i, t in enumerate(thresholds))
    near = np.array([t for t in thresholds if abs(t) < 1e39], dtype=np.float32)
    up, down = np.nextafter(near, np.float32(np.inf)), np.nextafter(near, np.float32(-np.inf))
    x = np.concatenate([near, up, down, np.float32([np.inf, -np.inf, -0.0, np.nan])]).astype(np.float32)[:, None]
    forest = Forest(trees, n_features=1, operator=operator)
    np.testing.assert_array_equal(scores(forest, x), predict(forest, x))


def test_missing_values_the_base_score_and_a_mean_are_carried_over():
    forest = Forest((stump(0, True), stump(0, False, (3, 5))), n_features=2, base_score=0.25, average=True)
    x = np.array([[np.nan, 9], [-1, 9], [1, 9]], dtype=np.float32)
    np.testing.assert_array_equal(scores(forest, x), np.float32([3.25, 2.25, 3.75]))


def test_what_lightgbm_takes_for_zero():
    forest = Forest((stump(-1e-40),), n_features=1)
    x = np.float32([[-1e-36], [0], [1e-36], [-1e-30]])
    assert scores(forest, x).tolist() == [1, 2, 2, 1]
    assert scores(forest, x, lightgbm_zero=True).tolist() == [2, 2, 2, 1]


def test_a_tree_of_one_leaf():
    leaf = stump(0).collapsed(np.array([True, False, False]), np.array([7.0, 0, 0]))
    assert scores(Forest((leaf,), n_features=1), np.float32([[0], [np.nan]])).tolist() == [7, 7]
