"""native, gtil and onnxruntime: what each refuses, and files that they can't load."""

import importlib.util
import shutil
import sys
import warnings

import numpy as np
import pytest

from harness.bundle import Draft, open_bundle, seal
from harness.engines import gtil, native, onnxruntime
from harness.errors import EngineError
from harness.records import ModelSize


@pytest.fixture
def remade(teacher, tmp_path):
    """`remade("lightgbm", n_features=9, model_txt=b"...")`: a copy with other facts or files, sealed again."""

    def make(kind, n_features=None, **files):
        source = teacher(kind)
        out = tmp_path / "remade"
        shutil.copytree(source.path, out)
        for name, content in files.items():
            (out / name.replace("_", ".")).write_bytes(content)
        width = n_features or source.manifest.n_features
        names = tuple(f"f{i}" for i in range(width))
        return seal(out, Draft(source.manifest.format, width, names, source.manifest.size), origin={})

    return make


def opened(engine, bundle, tmp_path):
    return engine.open(engine.Options(), bundle, tmp_path)


@pytest.mark.parametrize(("kind", "file"), [("lightgbm", "model_txt"), ("xgboost", "model_json")])
def test_native_says_which_file_is_corrupt(remade, tmp_path, capfd, kind, file):
    bundle = remade(kind, **{file: b"tree\nnot a model\n"})
    with pytest.raises(EngineError, match="can't read it") as caught:
        opened(native, bundle, tmp_path)
    assert caught.value.where.endswith(file.replace("_", "."))


@pytest.mark.parametrize("engine", [native, gtil])
@pytest.mark.parametrize("kind", ["lightgbm", "xgboost"])
def test_a_model_of_another_width_is_an_error(remade, tmp_path, engine, kind):
    with pytest.raises(EngineError, match="takes 12 features, its manifest says 13"):
        opened(engine, remade(kind, n_features=13), tmp_path)


def test_gtil_says_when_the_checkpoint_is_corrupt(remade, teacher, tmp_path):
    cut = teacher("xgboost").artefact.read_bytes()[:60]
    with pytest.raises(EngineError, match=r"Treelite .* can't read it"):
        opened(gtil, remade("xgboost", model_treelite=cut), tmp_path)


def test_native_refuses_trees_without_their_librarys_file(remade, teacher):
    bundle = remade("xgboost")
    (bundle.path / "model.json").unlink()
    manifest = seal(bundle.path, Draft("trees", 12, (), ModelSize()), origin={}).manifest
    assert "gtil" in native.refuses(native.Options(), manifest)
    assert native.refuses(native.Options(), teacher("xgboost").manifest) == ""


def test_a_damaged_torchscript_file_is_an_error(tmp_path):
    (tmp_path / "model.pt").write_bytes(b"PK not really")
    bundle = seal(tmp_path, Draft("torchscript", 3, ("a", "b", "c"), ModelSize()), origin={})
    with pytest.raises(EngineError, match="torch can't read it"):
        opened(native, bundle, tmp_path)


def test_threads_are_as_asked_and_recorded(teacher, splits, tmp_path):
    for kind in ("lightgbm", "xgboost"):
        scorer = native.open(native.Options(n_threads=2), teacher(kind), tmp_path)
        assert scorer.info["threads"] == 2
        one = opened(native, teacher(kind), tmp_path)
        np.testing.assert_array_equal(scorer.score(splits.test.features), one.score(splits.test.features))


def test_loading_warns_of_nothing(teacher, tmp_path, capfd):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for kind in ("lightgbm", "xgboost", "mlp"):
            opened(native, open_bundle(teacher(kind).path), tmp_path)
    assert capfd.readouterr() == ("", "")


def onnx_bundle(out, n_inputs=1):
    onnx = pytest.importorskip("onnx")
    make, tensor = onnx.helper, onnx.TensorProto.FLOAT
    names = [f"x{i}" for i in range(n_inputs)]
    graph = make.make_graph(
        [
            make.make_node("Sum", names, ["total"]),
            make.make_node("ReduceSum", ["total", "axes"], ["scores"], keepdims=0),
        ],
        "sum",
        [make.make_tensor_value_info(name, tensor, ["n", 3]) for name in names],
        [make.make_tensor_value_info("scores", tensor, ["n"])],
        [make.make_tensor("axes", onnx.TensorProto.INT64, [1], [1])],
    )
    onnx.save(make.make_model(graph, opset_imports=[make.make_opsetid("", 17)], ir_version=9), out / "model.onnx")
    return seal(out, Draft("onnx", 3, ("a", "b", "c"), ModelSize()), origin={})


def test_onnx_scores_what_the_graph_says(tmp_path):
    pytest.importorskip("onnxruntime")
    scorer = opened(onnxruntime, onnx_bundle(tmp_path), tmp_path)
    np.testing.assert_array_equal(scorer.score(np.float32([[1, 2, 3], [0, 0, 5]])), np.float32([6, 5]))


def test_onnx_with_two_inputs_is_an_error(tmp_path):
    pytest.importorskip("onnxruntime")
    with pytest.raises(EngineError, match=r"x0: tensor\(float\), x1"):
        opened(onnxruntime, onnx_bundle(tmp_path, n_inputs=2), tmp_path)


def test_a_damaged_onnx_file_is_an_error(tmp_path, capfd):
    pytest.importorskip("onnxruntime")
    (tmp_path / "model.onnx").write_bytes(b"no model")
    bundle = seal(tmp_path, Draft("onnx", 3, ("a", "b", "c"), ModelSize()), origin={})
    with pytest.raises(EngineError, match="ONNX Runtime can't read it"):
        opened(onnxruntime, bundle, tmp_path)


def test_without_the_package_the_extra_is_named(tmp_path, monkeypatch):
    (tmp_path / "model.onnx").write_bytes(b"never read")
    bundle = seal(tmp_path, Draft("onnx", 3, ("a", "b", "c"), ModelSize()), origin={})
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(EngineError) as caught:
        opened(onnxruntime, bundle, tmp_path)
    assert "ranking-latency-harness[onnx]" in caught.value.remedy
    assert "ranking-latency-harness[onnx]" in onnxruntime.refuses(onnxruntime.Options(), bundle.manifest)
    assert importlib.util.find_spec("onnx") is None or onnxruntime.refuses(onnxruntime.Options(), bundle.manifest)
