"""The compiled engine: exact on hand-made forests, cached with a staleness check, and never served unchecked."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hand_made_trees import category_stump, leaf, sealed, stump

from harness import registry
from harness.bundle import sha256_of
from harness.engines import tl2cgen
from harness.engines.tl2cgen import build, compiled, cross_check, generate
from harness.errors import EngineError
from harness.trees import artefacts
from harness.trees.forest import Forest
from harness.trees.probe_rows import probe
from harness.trees.traverse import predict


def staircase(n_features, operator, threshold_type):
    """Feature j has j thresholds, so that binary searches of every small length are tried; leaves are powers of 2."""
    rng = np.random.default_rng(3)
    trees = []
    for feature in range(n_features):
        for threshold in np.float32(rng.normal(size=feature)):
            trees.append(stump(feature, float(threshold), 2.0 ** -rng.integers(1, 9), 0.0, bool(rng.integers(2))))
    return Forest(tuple(trees), n_features, operator, threshold_type)


def opened(bundle, cache_dir, **options):
    return tl2cgen.open(tl2cgen.Options(**{"opt_level": 0, **options}), bundle, cache_dir)


@pytest.mark.parametrize("quantize", [True, False])
@pytest.mark.parametrize(("operator", "threshold_type"), [("<", "float32"), ("<=", "float64"), ("<=", "float32")])
def test_scores_on_and_beside_every_threshold(tmp_path, operator, threshold_type, quantize):
    forest = staircase(10, operator, threshold_type)
    scorer = opened(sealed(forest, tmp_path / "bundle"), tmp_path, quantize=quantize)
    for feature in range(1, forest.n_features):
        at = np.float32([tree.threshold[0] for tree in forest.trees if tree.feature[0] == feature])
        specials = np.float32([np.nan, np.inf, -np.inf, 0.0, -0.0, 3e38, -3e38])
        column = np.concatenate([at, np.nextafter(at, np.float32(9)), np.nextafter(at, np.float32(-9)), specials])
        x = np.zeros((column.size, forest.n_features), dtype=np.float32)
        x[:, feature] = column
        np.testing.assert_array_equal(scorer.score(x), predict(forest, x).astype(np.float32))
    assert scorer.info["max_abs_difference"] == 0.0


@pytest.mark.parametrize("quantize", [True, False])
def test_categories_are_compared_as_they_are_beside_quantised_thresholds(tmp_path, quantize):
    rng = np.random.default_rng(4)
    trees = [category_stump(1, rng.choice(200, 40).tolist(), 1.0, 2.0**-i, bool(i % 2)) for i in range(8)]
    forest = Forest((stump(0, 0.5, 0.25, 4.0), *trees, stump(2, -1.0, 0.5, 8.0)), 3, "<", "float32")
    scorer = opened(sealed(forest, tmp_path / "bundle"), tmp_path, quantize=quantize)
    x = rng.normal(size=(400, 3)).astype(np.float32)
    x[:, 1] = np.concatenate([np.arange(-5, 385), [0.5, 7.9, np.nan, np.inf, -np.inf, -0.0, 3e9, 1e30, 63, 64]])
    np.testing.assert_allclose(scorer.score(x), predict(forest, x), rtol=1e-6)


def test_a_category_that_would_take_ages_to_compile_is_refused_by_name(tmp_path):
    forest = Forest((category_stump(1, [2, 70_000], 1.0, 2.0),), 2)
    with pytest.raises(EngineError, match="feature 1 has a split on category 70000"):
        opened(sealed(forest, tmp_path / "bundle"), tmp_path)


@pytest.mark.parametrize("quantize", [True, False])
def test_thresholds_keep_their_last_bit(tmp_path, quantize):
    """Thresholds that eight decimal digits do not tell from their neighbours, each in a tree of its own."""
    drawn = np.random.default_rng(2).normal(size=40_000).astype(np.float32)
    hard = np.array([value for value in drawn if np.float32(f"{value:.7e}") != value], dtype=np.float32)[:60]
    assert hard.size == 60
    trees = tuple(stump(0, float(value), 1.0, 0.0, default_left=False) for value in hard)
    forest = Forest(trees, 1, "<", "float32")
    scorer = opened(sealed(forest, tmp_path / "bundle"), tmp_path, quantize=quantize)
    x = np.concatenate([hard, np.nextafter(hard, np.float32(9)), np.nextafter(hard, np.float32(-9))])[:, None]
    np.testing.assert_array_equal(scorer.score(x), predict(forest, x).astype(np.float32))


@pytest.mark.parametrize("quantize", [True, False])
@pytest.mark.parametrize(
    "changes",
    [
        {"base_score": -2.5},
        {"average": True},
        {"average": True, "base_score": 0.125, "threshold_type": "float32", "operator": "<"},
    ],
)
def test_base_score_and_average_are_part_of_the_score(tmp_path, changes, quantize):
    trees = (stump(1, 0.5, 1.0, 2.0, True), leaf(0.75), stump(0, -1.0, 4.0, 8.0, False))
    forest = replace(Forest(trees, 3), **changes)
    scorer = opened(sealed(forest, tmp_path / "bundle"), tmp_path, quantize=quantize)
    x = np.float32([[0, 0, 0], [-1, 0.5, 0], [-2, 1, np.nan], [np.nan, np.nan, np.nan]])
    np.testing.assert_allclose(scorer.score(x), predict(forest, x), rtol=1e-7)


@pytest.mark.parametrize("quantize", [True, False])
def test_a_forest_of_lone_leaves_compiles(tmp_path, quantize):
    forest = Forest((leaf(0.5), leaf(-2.0)), 2)
    scorer = opened(sealed(forest, tmp_path / "bundle"), tmp_path, quantize=quantize)
    np.testing.assert_array_equal(scorer.score(np.float32([[1, np.nan], [3, 4]])), np.float32([-1.5, -1.5]))


def test_blocks_and_units_cover_every_row_and_tree(teacher, splits, tmp_path, monkeypatch):
    monkeypatch.setattr(generate, "NODES_PER_UNIT", 50)
    bundle = teacher("lightgbm")
    scorer = opened(bundle, tmp_path)
    assert scorer.info["units"] > 3
    x = np.resize(splits.test.features, (3 * compiled.BLOCK_ROWS + 1, bundle.manifest.n_features))
    expected = predict(artefacts.load(bundle), x).astype(np.float32)
    for n in (compiled.BLOCK_ROWS - 1, compiled.BLOCK_ROWS, compiled.BLOCK_ROWS + 1, len(x)):
        np.testing.assert_array_equal(scorer.score(x[:n]), expected[:n])


def test_quantize_auto_follows_the_recipe(tmp_path):
    forest = staircase(3, "<=", "float64")
    for declared in (True, False):
        out = tmp_path / str(declared)
        out.mkdir()
        bundle = sealed(forest, out, quantise={"thresholds": declared, "leaves": "none"})
        assert opened(bundle, tmp_path).info["quantize"] is declared
        assert opened(bundle, tmp_path, quantize=not declared).info["quantize"] is not declared


def test_a_second_open_compiles_nothing_and_other_options_share_nothing(teacher, tmp_path, monkeypatch):
    bundle = teacher("lightgbm")
    first = opened(bundle, tmp_path)
    assert not first.info["cached"]
    assert opened(bundle, tmp_path, opt_level=1).info["cached"] is False
    monkeypatch.setattr(build, "compile_library", lambda *_: pytest.fail("compiled again"))
    again = opened(bundle, tmp_path)
    assert again.info["cached"]
    assert again.info["compile_s"] == first.info["compile_s"]


def test_processes_that_open_the_same_bundle_at_once_compile_it_once(teacher, tmp_path):
    code = (
        "import sys; from pathlib import Path;"
        "from harness.bundle import open_bundle; from harness.engines import tl2cgen;"
        "bundle, cache = map(Path, sys.argv[1:]);"
        "print(tl2cgen.open(tl2cgen.Options(opt_level=0), open_bundle(bundle), cache).info['cached'])"
    )
    command = [sys.executable, "-c", code, str(teacher("lightgbm").path), str(tmp_path / "cache")]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert sorted(process.communicate(timeout=120)[0].strip() for process in processes) == ["False", "True"]


def test_a_cache_that_is_no_folder_is_an_error(teacher, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(EngineError, match="can't write compiled code"):
        opened(teacher("lightgbm"), tmp_path / "file")


def test_the_key_holds_compiler_and_instruction_set(teacher, tmp_path, monkeypatch):
    bundle = teacher("lightgbm")
    opened(bundle, tmp_path)
    monkeypatch.setattr(build, "isa", lambda: {"machine": "another"})
    assert not opened(bundle, tmp_path).info["cached"]
    found = build.find_compiler()
    monkeypatch.setattr(build, "find_compiler", lambda: replace(found, version="gcc of another day"))
    assert not opened(bundle, tmp_path).info["cached"]


@pytest.mark.parametrize("file", ["model.so", "probe.npz", "build.json"])
def test_a_damaged_entry_is_built_anew(teacher, tmp_path, file):
    bundle = teacher("xgboost")
    opened(bundle, tmp_path)
    (damaged,) = tmp_path.glob(f"tl2cgen/*/{file}")
    content = damaged.read_bytes()
    damaged.unlink()  # a new file, for this process has the library mapped
    damaged.write_bytes(content[:-100])
    assert not opened(bundle, tmp_path).info["cached"]
    assert opened(bundle, tmp_path).info["cached"]


def test_sources_are_not_kept_and_info_is_json(teacher, tmp_path):
    scorer = opened(teacher("lightgbm"), tmp_path)
    assert sorted(path.name for path in tmp_path.glob("tl2cgen/*/*")) == ["build.json", "model.so", "probe.npz"]
    info = json.loads(json.dumps(dict(scorer.info)))
    assert info["library_bytes"] > 1000
    assert info["compile_s"] > 0
    assert info["flags"] == "-O0"
    assert info["checked_against"] == ["gtil", "native"]


def test_nothing_is_said_on_the_terminal(teacher, tmp_path, capfd):
    opened(teacher("lightgbm"), tmp_path)
    assert capfd.readouterr() == ("", "")


def test_a_library_that_scores_otherwise_is_refused(teacher, tmp_path):
    bundle = teacher("lightgbm")
    forest = artefacts.load(bundle)
    changed = forest.trees[7]
    wrong = replace(changed, default_left=~changed.default_left)
    trees = (*forest.trees[:7], wrong, *forest.trees[8:])
    opened(sealed(forest.with_trees(trees), tmp_path / "bundle"), tmp_path)
    (impostor,) = tmp_path.glob("tl2cgen/*/model.so")
    with pytest.raises(EngineError, match=r"the compiled model scores .* where gtil scores") as caught:
        cross_check.cross_check(impostor, bundle, forest, tmp_path / "probe.npz")
    assert "engine: gtil" in caught.value.remedy
    assert not (tmp_path / "probe.npz").exists()


def test_a_library_that_scores_otherwise_never_enters_the_cache(teacher, tmp_path, monkeypatch):
    monkeypatch.setattr(cross_check, "reference_scorer", lambda _: Shifted())
    with pytest.raises(EngineError, match="where native scores"):
        opened(teacher("lightgbm"), tmp_path)
    assert not list(tmp_path.glob("tl2cgen/[!.]*"))


class Shifted:
    """A reference that no library agrees with."""

    def score(self, x):
        return np.ones(len(x), dtype=np.float32)


def test_the_check_is_made_again_when_the_library_is_loaded(teacher, tmp_path, monkeypatch):
    bundle = teacher("lightgbm")
    opened(bundle, tmp_path)
    entry = next(tmp_path.glob("tl2cgen/*/build.json")).parent
    with np.load(entry / "probe.npz") as probe:
        x, expected = probe["x"], probe["expected"]
    np.savez_compressed(entry / "probe.npz", x=x, expected=expected + np.float32(0.5))
    record = json.loads((entry / "build.json").read_text())
    record["files"]["probe.npz"] = sha256_of(entry / "probe.npz")
    (entry / "build.json").write_text(json.dumps(record))
    with pytest.raises(EngineError, match="where the reference scores"):
        opened(bundle, tmp_path)


def test_serving_from_the_cache_loads_no_model_library(teacher, tmp_path):
    code = (
        "import sys; from pathlib import Path; from harness import registry; from harness.bundle import open_bundle;"
        "engine = registry.engine('tl2cgen'); bundle, cache = map(Path, sys.argv[1:]);"
        "scorer = engine.open(engine.Options(opt_level=0), open_bundle(bundle), cache); assert scorer.info['cached'];"
        "print(*{'lightgbm', 'treelite', 'tl2cgen', 'scipy', 'pandas'} & set(sys.modules))"
    )
    bundle = teacher("lightgbm")
    opened(bundle, tmp_path)
    command = [sys.executable, "-c", code, str(bundle.path), str(tmp_path)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == ""


def test_the_probe_visits_thresholds_neighbours_and_special_values(teacher):
    forest = artefacts.load(teacher("lightgbm"))
    x = probe(forest)
    assert np.isnan(x).any()
    assert (x == np.inf).any()
    assert (x == -np.inf).any()
    assert (x == 0).any()
    tree = forest.trees[0]
    edges, column = np.float32(tree.threshold[:1]), x[:, tree.feature[0]]
    known = np.concatenate([np.float32(t.threshold[t.feature == tree.feature[0]]) for t in forest.trees])
    assert edges.size
    assert np.isin(known, column).mean() > 0.5
    assert np.isin(np.nextafter(known, np.float32(np.inf)), column).mean() > 0.3


def test_rows_of_another_width_are_an_error(teacher, tmp_path):
    scorer = opened(teacher("lightgbm"), tmp_path)
    with pytest.raises(EngineError, match="12 features"):
        scorer.score(np.zeros((2, 11), dtype=np.float32))


def test_no_compiler_names_the_remedy(teacher, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    with pytest.raises(EngineError, match="needs a C compiler") as caught:
        opened(teacher("lightgbm"), tmp_path)
    assert "engine: gtil" in caught.value.remedy


def test_networks_are_refused(teacher):
    engine = registry.engine("tl2cgen")
    assert "mlp" in engine.refuses(engine.Options(), teacher("mlp").manifest)
