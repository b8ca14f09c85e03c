"""The user's own model file: every format comes in whole; every fault is an error that names the file."""

from __future__ import annotations

import shutil
from pathlib import Path

import lightgbm
import numpy as np
import pytest
import torch
import treelite
import xgboost

from harness.errors import ModelError
from harness.trees.artefacts import load
from harness.trees.traverse import predict


@pytest.fixture
def user_file(teacher, tmp_path):
    """`user_file("lightgbm", "model.txt", as_name="x.txt")`: a file of a trained bundle, as a user would have it."""

    def build(kind: str, name: str, as_name: str) -> Path:
        return Path(shutil.copyfile(teacher(kind).file(name), tmp_path / as_name))

    return build


@pytest.fixture
def trained(tmp_path):
    """A LightGBM file trained on `x`, `y` with given parameters."""

    def build(x, y, name="mine.txt", **params) -> Path:
        names = params.pop("feature_name", "auto")
        options = {"objective": "regression", "num_leaves": 5, "verbosity": -1, "num_threads": 1, **params}
        data = lightgbm.Dataset(x, y, feature_name=names, params={"verbosity": -1, **params})
        lightgbm.train(options, data, 3).save_model(tmp_path / name)
        return tmp_path / name

    return build


def test_lightgbm_text_is_kept_as_it_is(train_bundle, teacher, user_file, splits):
    path = user_file("lightgbm", "model.txt", "mine.txt")
    bundle = train_bundle("file", path=path)
    assert bundle.file("model.txt").read_bytes() == path.read_bytes()
    x = splits.test.features
    assert np.array_equal(predict(load(bundle), x), predict(load(teacher("lightgbm")), x))
    assert bundle.manifest.size.n_nodes == teacher("lightgbm").manifest.size.n_nodes


@pytest.mark.parametrize("suffix", ["json", "ubj"])
def test_xgboost_comes_in_from_json_and_ubj(train_bundle, teacher, tmp_path, splits, suffix):
    native = xgboost.Booster(model_file=str(teacher("xgboost").file("model.json")))
    native.save_model(tmp_path / f"mine.{suffix}")
    bundle = train_bundle("file", path=tmp_path / f"mine.{suffix}")
    x = splits.test.features
    kept = xgboost.Booster(model_file=str(bundle.file("model.json")))
    margin = native.predict(xgboost.DMatrix(x), output_margin=True)
    assert np.array_equal(kept.predict(xgboost.DMatrix(x), output_margin=True), margin)
    assert np.array_equal(predict(load(bundle), x).astype(np.float32), margin)


@pytest.mark.parametrize(("name", "options"), [("mine.tl", {}), ("mine", {}), ("mine.bin", {"format": "treelite"})])
def test_treelite_checkpoint_comes_in(train_bundle, teacher, user_file, name, options):
    bundle = train_bundle("file", path=user_file("lightgbm", "model.treelite", name), **options)
    assert bundle.file("model.treelite").read_bytes() == teacher("lightgbm").artefact.read_bytes()
    assert bundle.manifest.source == ""


@pytest.mark.parametrize("name", ["mine.packed", "mine"])
def test_a_packed_file_comes_in(train_bundle, teacher, user_file, splits, name):
    bundle = train_bundle("file", path=user_file("lightgbm", "model.packed", name))
    x = splits.test.features
    exact = predict(load(teacher("lightgbm")), x)
    np.testing.assert_allclose(predict(load(bundle), x), exact, atol=1e-6 * np.abs(exact).max())
    assert bundle.manifest.source == ""
    damaged = user_file("lightgbm", "model.packed", f"cut-{name}")
    damaged.write_bytes(damaged.read_bytes()[:-5])
    with pytest.raises(ModelError, match="does not match its checksum"):
        train_bundle("file", path=damaged)


def test_a_random_forest_of_lightgbm_is_served_from_its_trees(train_bundle, trained, splits):
    x = splits.train.features
    path = trained(x, splits.train.grades, boosting="rf", bagging_fraction=0.5, bagging_freq=1)
    bundle = train_bundle("file", path=path)
    expected = lightgbm.Booster(model_file=str(path)).predict(x)
    assert load(bundle).average
    assert np.allclose(predict(load(bundle), x), expected)


class Network(torch.nn.Module):
    def __init__(self, width, n_outputs=1):
        super().__init__()
        self.linear = torch.nn.Linear(width, n_outputs)

    def forward(self, x):
        return self.linear(x)


@pytest.fixture
def torchscript(tmp_path):
    def build(width, n_outputs=1):
        with pytest.warns(DeprecationWarning, match="torch.jit"):
            torch.jit.script(Network(width, n_outputs)).save(str(tmp_path / "mine.pt"))
        return tmp_path / "mine.pt"

    return build


@pytest.fixture
def onnx_file(tmp_path):
    onnx = pytest.importorskip("onnx")

    def build(width):
        weight = onnx.numpy_helper.from_array(np.ones((width, 1), dtype=np.float32), "weight")
        x = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["n", width])
        y = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, ["n", 1])
        node = onnx.helper.make_node("MatMul", ["x", "weight"], ["y"])
        graph = onnx.helper.make_graph([node], "ranker", [x], [y], [weight])
        model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=9)
        onnx.save(model, str(tmp_path / "mine.onnx"))
        return tmp_path / "mine.onnx"

    return build


def test_torchscript_comes_in(train_bundle, torchscript, splits):
    bundle = train_bundle("file", path=torchscript(splits.train.n_features))
    assert bundle.manifest.format == "torchscript"
    assert bundle.manifest.size.n_parameters == splits.train.n_features + 1


def test_onnx_comes_in(train_bundle, onnx_file, splits):
    bundle = train_bundle("file", path=onnx_file(splits.train.n_features))
    assert bundle.manifest.format == "onnx"
    assert bundle.manifest.size.n_parameters == splits.train.n_features


def fault(train_bundle, path, **options):
    with pytest.raises(ModelError) as caught:
        train_bundle("file", path=path, **options)
    assert str(path) in caught.value.where
    assert caught.value.remedy
    return caught.value.what


def test_networks_of_another_width_or_shape(train_bundle, torchscript, onnx_file):
    assert "12 features" in fault(train_bundle, torchscript(7))
    assert "shape (2, 3)" in fault(train_bundle, torchscript(12, n_outputs=3))
    pytest.importorskip("onnxruntime")
    assert "12 features" in fault(train_bundle, onnx_file(7))


def test_trees_of_another_width(train_bundle, trained):
    x = np.random.default_rng(0).normal(size=(200, 5))
    assert fault(train_bundle, trained(x, x[:, 0])) == "takes 5 features, the data has 12"


def test_features_in_another_order(train_bundle, trained, splits):
    names = list(splits.train.feature_names[::-1])
    path = trained(splits.train.features, splits.train.grades, feature_name=names)
    assert "column 0 is 'f11', not 'f0'" in fault(train_bundle, path)


def test_zero_as_missing(train_bundle, trained, splits):
    x = splits.train.features * (np.random.default_rng(0).random(splits.train.features.shape) < 0.5)
    assert "zero as missing" in fault(train_bundle, trained(x, splits.train.grades, zero_as_missing=True))


def test_several_outputs(train_bundle, trained, splits):
    path = trained(splits.train.features, splits.train.grades % 3, objective="multiclass", num_class=3)
    assert "several outputs" in fault(train_bundle, path)


def test_a_linear_booster_of_xgboost(train_bundle, splits, tmp_path):
    data = xgboost.DMatrix(splits.train.features, label=splits.train.grades)
    xgboost.train({"booster": "gblinear", "updater": "coord_descent", "verbosity": 0}, data, 2).save_model(
        tmp_path / "mine.json"
    )
    fault(train_bundle, tmp_path / "mine.json")


def test_no_such_file_names_the_near_miss(train_bundle, user_file, tmp_path):
    user_file("lightgbm", "model.txt", "ranker_v2.txt")
    assert "did you mean 'ranker_v2.txt'?" in fault(train_bundle, tmp_path / "ranker_v3.txt")


@pytest.mark.parametrize("name", ["m.txt", "m.json", "m.ubj", "m.tl", "m.pt", "m.onnx"])
def test_empty_files_and_other_files(train_bundle, tmp_path, name):
    path = tmp_path / name
    path.touch()
    assert "empty" in fault(train_bundle, path)
    if not (name == "m.onnx" and not _has_onnxruntime()):
        path.write_bytes(b"no model at all\n" * 40)
        fault(train_bundle, path)


def test_what_wrote_it_must_be_told_where_nothing_shows_it(train_bundle, tmp_path):
    (tmp_path / "mystery").write_bytes(b"no model at all")
    assert "can't tell" in fault(train_bundle, tmp_path / "mystery")


@pytest.mark.parametrize(
    ("kind", "name", "as_name"),
    [
        ("lightgbm", "model.txt", "m.txt"),
        ("xgboost", "model.json", "m.json"),
        ("lightgbm", "model.treelite", "m.tl"),
    ],
)
def test_a_file_cut_in_half(train_bundle, user_file, kind, name, as_name):
    path = user_file(kind, name, as_name)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    fault(train_bundle, path)


def test_a_lightgbm_text_that_kills_its_reader(train_bundle, user_file):
    path = user_file("lightgbm", "model.txt", "m.txt")
    lines = path.read_text().splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("left_child="))
    lines[at] = "left_child=" + " ".join(["100000000"] * lines[at].count(" "))
    path.write_text("\n".join(lines))
    fault(train_bundle, path)


def test_child_links_out_of_the_tree(train_bundle, user_file):
    """A checkpoint that Treelite reads but must not walk: a child link that points back at the root."""
    path = user_file("lightgbm", "model.treelite", "m.tl")
    good = path.read_bytes()
    model = treelite.Model.deserialize_bytes(good)
    left = model.get_tree_accessor(0).get_field("cleft").tobytes()
    assert good.count(left) == 1
    path.write_bytes(good.replace(left, bytes(4) + left[4:], 1))
    assert "child links are broken" in fault(train_bundle, path)


def _has_onnxruntime():
    try:
        import onnxruntime  # noqa: F401
    except ImportError:
        return False
    return True
