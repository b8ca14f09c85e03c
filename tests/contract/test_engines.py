"""What every engine keeps to: right scores for every bundle it does not refuse, on ordinary rows and on odd ones."""

import json
import shutil
import warnings
from importlib.util import find_spec

import numpy as np
import pytest

from harness import registry
from harness.bundle import Draft, seal
from harness.records import ModelSize
from harness.scoring import reference_engine, reference_scorer
from harness.trees import artefacts
from harness.trees.forest import categories_of
from harness.trees.formats.treelite_model import from_treelite
from harness.trees.traverse import predict

BUNDLES = ("lightgbm", "xgboost", "mlp", "checkpoint", "categories", "torchscript", "onnx")
SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e30, -1e30, 1.0], dtype=np.float32)


@pytest.fixture(scope="session")
def bundle_of(teacher, tmp_path_factory):
    """Bundles of every format; `checkpoint` is a tree bundle without its library's own file, `categories` has splits by
    category."""
    built = {}

    def build(name):
        if name in ("lightgbm", "xgboost", "mlp"):
            return teacher(name)
        if name not in built:
            out = tmp_path_factory.mktemp(name)
            built[name] = seal(out, MAKERS[name](teacher, out), origin={"kind": "file"})
        return built[name]

    return build


def make_checkpoint(teacher, out):
    source = teacher("xgboost")
    shutil.copyfile(source.artefact, out / "model.treelite")
    return Draft("trees", source.manifest.n_features, source.manifest.feature_names, source.manifest.size)


def make_torchscript(teacher, out):
    import torch

    class Sum(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.nan_to_num(x, 0.0, 1.0, -1.0).sum(dim=1, keepdim=True)

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r".*torch\.jit", category=DeprecationWarning)
        torch.jit.save(torch.jit.script(Sum()), str(out / "model.pt"))
    return foreign_draft("torchscript", teacher)


def make_onnx(teacher, out):
    onnx = pytest.importorskip("onnx")
    make, tensor = onnx.helper, onnx.TensorProto.FLOAT
    d = teacher("lightgbm").manifest.n_features
    weights = make.make_tensor("w", tensor, [d, 1], np.linspace(-1, 1, d).tolist())
    graph = make.make_graph(
        [make.make_node("MatMul", ["x", "w"], ["scores"])],
        "linear",
        [make.make_tensor_value_info("x", tensor, ["n", d])],
        [make.make_tensor_value_info("scores", tensor, ["n", 1])],
        [weights],
    )
    onnx.save(make.make_model(graph, opset_imports=[make.make_opsetid("", 17)], ir_version=9), out / "model.onnx")
    return foreign_draft("onnx", teacher)


def foreign_draft(format_name, teacher):
    manifest = teacher("lightgbm").manifest
    return Draft(format_name, manifest.n_features, manifest.feature_names, ModelSize())


def make_categories(teacher, out):
    import lightgbm
    import treelite

    manifest, rng = teacher("lightgbm").manifest, np.random.default_rng(6)
    x = rng.normal(size=(2000, manifest.n_features)).astype(np.float32)
    x[:, 3] = rng.integers(0, 70, 2000)
    y = np.sin(5 * x[:, 3]) + x[:, 0]
    settings = {"num_leaves": 8, "min_data_per_group": 5, "num_threads": 1, "verbosity": -1}
    booster = lightgbm.train(settings, lightgbm.Dataset(x, y, categorical_feature=[3]), 10)
    forest = from_treelite(treelite.frontend.from_lightgbm(booster))
    assert forest.has_categories
    return artefacts.save(forest, out, manifest.feature_names, lightgbm_objective="regression")


MAKERS = {
    "checkpoint": make_checkpoint,
    "categories": make_categories,
    "torchscript": make_torchscript,
    "onnx": make_onnx,
}


REAL = [name for name in registry.names("engines") if name != "auto"]  # which stands for one of the others


@pytest.fixture(params=REAL)
def engine(request):
    return registry.engine(request.param)


@pytest.fixture(params=BUNDLES)
def bundle(request, bundle_of):
    if request.param == "onnx" and find_spec("onnxruntime") is None:
        pytest.skip("onnxruntime is not installed")
    return bundle_of(request.param)


@pytest.fixture
def scorer(engine, bundle, engine_cache):
    options = engine.Options(**FAST.get(engine.__name__.rpartition(".")[2], {}))
    if reason := engine.refuses(options, bundle.manifest):
        pytest.skip(reason)
    return engine.open(options, bundle, engine_cache)


FAST = {"fake": {"mean_ms": 0.0}}


def odd_rows(bundle, splits):
    """Rows of data, of special values, and (trees) of thresholds and their neighbours in float32."""
    rng = np.random.default_rng(5)
    ordinary = splits.test.features[:200]
    special = rng.choice(SPECIAL, (200, ordinary.shape[1])).astype(np.float32)
    parts = [ordinary, special, np.where(rng.random(ordinary.shape) < 0.1, special, ordinary)]
    if bundle.manifest.format == "trees":
        forest = artefacts.load(bundle)
        edges = np.concatenate([tree.threshold[~tree.is_leaf] for tree in forest.trees]).astype(np.float32)
        near = np.stack([edges, np.nextafter(edges, np.float32(9e9)), np.nextafter(edges, np.float32(-9e9))]).ravel()
        parts.append(rng.choice(near[np.abs(near) > 1e-30], (600, ordinary.shape[1])))
    x = np.ascontiguousarray(np.concatenate(parts), dtype=np.float32)
    if bundle.manifest.format == "trees":
        for feature in categories_of(forest.trees):
            x[:, feature] = np.trunc(x[:, feature])  # LightGBM alone takes -0.5 for category 0
    return x


def same(found, expected, tolerance):
    finite = np.abs(expected[np.isfinite(expected)])
    return np.allclose(found, expected, rtol=1e-6, atol=tolerance * finite.max(initial=0.0), equal_nan=True)


def test_scores_are_those_of_the_reference(scorer, bundle, splits):
    tolerance = scorer.info.get("tolerance", 0.0)
    if tolerance is None:
        pytest.skip("declares that it scores nothing, or only roughly")
    x = odd_rows(bundle, splits)
    assert same(scorer.score(x), reference_scorer(bundle).score(x), tolerance)


def test_doubles_are_scored_as_the_reference_scores_them(scorer, bundle, splits):
    if not scorer.info.get("float64"):
        pytest.skip("takes float32 only")
    x = odd_rows(bundle, splits).astype(np.float64)
    for feature in set(range(x.shape[1])) - set(categories_of(artefacts.load(bundle).trees)):
        x[::2, feature] = np.nextafter(x[::2, feature], np.inf).clip(-1e38, 1e38)
    assert same(scorer.score(x), reference_scorer(bundle).score(x), scorer.info.get("tolerance", 0.0))


def test_tree_scores_are_those_of_the_trees_read_by_hand(scorer, bundle, splits):
    if bundle.manifest.format != "trees" or scorer.info.get("tolerance", 0.0) is None:
        pytest.skip("not about trees")
    x = odd_rows(bundle, splits)
    assert same(scorer.score(x), predict(artefacts.load(bundle), x), 8e-6)


@pytest.mark.parametrize("n", [0, 1, 2, 127, 128, 129, 1000])
def test_any_number_of_candidates_is_scored_row_by_row(scorer, bundle, splits, n):
    x = np.resize(splits.test.features, (n, splits.test.n_features))
    before = x.copy()
    scores = scorer.score(x)
    assert scores.shape == (n,)
    assert scores.dtype == np.float32
    assert np.isfinite(scores).all() or bundle.manifest.format == "onnx"
    np.testing.assert_array_equal(x, before)
    np.testing.assert_array_equal(scores, scorer.score(x))
    alone = np.array([scorer.score(x[i : i + 1])[0] for i in range(min(n, 20))], dtype=np.float32)
    np.testing.assert_allclose(scores[:20], alone, rtol=1e-4, atol=1e-5)


def test_info_says_how_it_was_set_up(scorer):
    info = dict(scorer.info)
    assert info["threads"] == 1
    assert info["library"]
    assert info.get("tolerance") is None or 0 < info["tolerance"] < 1e-4
    json.dumps(info)


def test_every_engine_serves_something_and_says_why_it_refuses_the_rest(engine, bundle_of):
    kinds = [kind for kind in BUNDLES if kind != "onnx" or find_spec("onnx")]
    reasons = [engine.refuses(engine.Options(), bundle_of(kind).manifest) for kind in kinds]
    assert "" in reasons
    assert all(len(reason) > 20 for reason in reasons if reason)


def test_every_bundle_has_a_reference(bundle):
    assert reference_engine(bundle.manifest) in ("native", "gtil", "onnxruntime")
    assert reference_scorer(bundle).info.get("tolerance", 0.0) is not None


def test_engines_and_their_options_are_described():
    for name in registry.names("engines"):
        assert registry.summary("engines", name)
        for field in registry.options_model("engines", name).model_fields.values():
            assert field.description
