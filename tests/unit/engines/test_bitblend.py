"""bitblend as an engine: built once, checked on load, shared by threads, clean under sanitizers, clear in refusal."""

import ctypes
import json
import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hand_made_trees import category_stump, leaf, sealed, stump

from harness import registry
from harness.engines import _kernel, bitblend
from harness.engines.bitblend import check, library
from harness.engines.bitblend.columns import search_table
from harness.engines.bitblend.leaf_values import leaf_values_of
from harness.errors import EngineError
from harness.scoring import reference_scorer
from harness.trees import artefacts
from harness.trees.forest import Forest
from harness.trees.formats.packed import file
from harness.trees.traverse import leaf_indices, predict


@pytest.fixture
def cache(engine_cache):
    return engine_cache


def opened(bundle, cache_dir, **options):
    return bitblend.open(bitblend.Options(**options), bundle, cache_dir)


@pytest.mark.parametrize("isa", library.KERNEL.supported())
@pytest.mark.parametrize("n_edges", [1, 31, 32, 33, 63, 64, 127, 128, 254, 255, 256, 600])
def test_every_length_of_search_on_and_beside_every_threshold(tmp_path, cache, isa, n_edges):
    rng = np.random.default_rng(n_edges)
    at = np.unique(rng.normal(size=n_edges).astype(np.float32))
    trees = tuple(stump(1, float(t), rng.normal(), rng.normal(), bool(rng.integers(2))) for t in at)
    forest = Forest(trees, 3, "<", "float32")
    scorer = opened(sealed(forest, tmp_path / "bundle"), cache, isa=isa)
    specials = np.float32([np.nan, np.inf, -np.inf, 0.0, -0.0])
    column = np.concatenate([at, np.nextafter(at, np.float32(9)), np.nextafter(at, np.float32(-9)), specials])
    x = np.zeros((column.size, 3), dtype=np.float32)
    x[:, 1] = column
    np.testing.assert_array_equal(scorer.leaf_nodes(x), leaf_indices(forest, x))


@pytest.mark.parametrize(
    "changes",
    [
        {"base_score": -2.5},
        {"average": True},
        {"average": True, "base_score": 0.125, "threshold_type": "float32", "operator": "<"},
    ],
)
def test_base_score_average_and_lone_leaves_are_part_of_the_score(tmp_path, cache, changes):
    forest = replace(Forest((stump(1, 0.5, 1.0, 2.0), leaf(0.75), stump(0, -1.0, 4.0, 8.0)), 3), **changes)
    scorer = opened(sealed(forest, tmp_path / "bundle"), cache)
    x = np.float32([[0, 0, 0], [-1, 0.5, 0], [-2, 1, np.nan], [np.nan, np.nan, np.nan]])
    np.testing.assert_allclose(scorer.score(x), predict(forest, x), rtol=1e-6)


def test_a_forest_of_lone_leaves_is_scored(tmp_path, cache):
    scorer = opened(sealed(Forest((leaf(0.5), leaf(-2.0)), 2), tmp_path / "bundle"), cache)
    np.testing.assert_allclose(scorer.score(np.float32([[1, np.nan], [3, 4]])), np.float32([-1.5, -1.5]), rtol=1e-6)


def test_a_second_open_compiles_nothing_and_another_isa_is_another_library(teacher, tmp_path, monkeypatch):
    first = opened(teacher("lightgbm"), tmp_path)
    assert not first.info["cached"]
    assert not opened(teacher("lightgbm"), tmp_path, isa=library.KERNEL.supported()[-1]).info["cached"] or (
        len(library.KERNEL.supported()) == 1
    )
    monkeypatch.setattr(_kernel, "compile_library", lambda *_: pytest.fail("compiled again"))
    assert opened(teacher("xgboost"), tmp_path).info["cached"]
    assert sorted({path.name for path in tmp_path.glob("bitblend/*/*")}) == ["bitblend.so", "build.json"]


def test_info_is_json_and_says_what_was_built(teacher, cache):
    info = json.loads(json.dumps(dict(opened(teacher("lightgbm"), cache, isa="baseline").info)))
    assert info["isa"] == "baseline"
    assert info["tolerance"] == 8e-6
    assert info["loaded"] == "model.packed"
    assert info["block"] == 128
    assert 0 < info["max_rounding"] < 1e-6
    assert info["nodes"] > 100
    assert info["table_bytes"] > 1000


def test_a_bundle_without_a_packed_file_is_read_from_its_checkpoint(teacher, splits, tmp_path, cache):
    new = teacher("xgboost")
    files = {name: entry for name, entry in new.manifest.files.items() if name != "model.packed"}
    old = type(new)(new.path, new.manifest.model_copy(update={"files": files}))
    one, other = opened(old, cache), opened(new, cache)
    assert one.info["loaded"] == "model.treelite"
    assert one.info["tolerance"] == 1e-6
    expected = predict(artefacts.load(new), splits.test.features)
    for scorer in (one, other):
        np.testing.assert_allclose(scorer.score(splits.test.features), expected, atol=1e-6 * np.abs(expected).max())


def test_a_damaged_packed_file_is_not_served(teacher, tmp_path, cache):
    bundle = sealed(Forest((stump(0, 0.5, 1.0, 2.0),), 2), tmp_path / "bundle")
    path = bundle.file("model.packed")
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(EngineError, match="is cut off") as caught:
        opened(bundle, cache)
    assert caught.value.where == str(path)
    narrow = type(bundle)(bundle.path, bundle.manifest.model_copy(update={"n_features": 3}))
    path.write_bytes(file.pack(Forest((stump(0, 0.5, 1.0, 2.0),), 2)))
    with pytest.raises(EngineError, match="takes 2 features, its manifest says 3"):
        opened(narrow, cache)


def test_an_instruction_set_that_the_cpu_lacks_is_an_error(teacher, cache, monkeypatch):
    monkeypatch.setattr(_kernel, "isa", lambda: {"machine": "x86_64", "vector": []})
    with pytest.raises(EngineError, match="can't run avx2: it lacks avx2") as caught:
        opened(teacher("lightgbm"), cache, isa="avx2")
    assert "baseline" in caught.value.remedy


def test_without_a_compiler_gtil_serves_by_name(teacher, splits, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    scorer = opened(teacher("lightgbm"), tmp_path)
    assert scorer.info["library"].startswith("treelite")
    assert scorer.info["fallback"] == "gtil"
    assert "needs a C compiler" in scorer.info["fallback_reason"]
    x = splits.test.features[:50]
    np.testing.assert_array_equal(scorer.score(x), reference_scorer(teacher("lightgbm")).score(x))


def test_without_a_compiler_and_a_fallback_the_error_names_the_remedy(teacher, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    with pytest.raises(EngineError, match="needs a C compiler") as caught:
        opened(teacher("lightgbm"), tmp_path, fallback="none")
    assert "engine: gtil" in caught.value.remedy


def test_a_bundle_that_no_engine_can_read_is_an_error(tmp_path, cache):
    bundle = sealed(Forest((leaf(1.0),), 2), tmp_path / "bundle")
    bundle.artefact.write_bytes(b"nothing")
    with pytest.raises(EngineError, match="can't read it"):
        opened(bundle, cache, float64=True)


def test_doubles_are_told_apart_where_asked_for(teacher, splits, cache):
    bundle = teacher("lightgbm")
    x = np.nextafter(splits.test.features[:200].astype(np.float64), np.inf)
    plain, full = opened(bundle, cache), opened(bundle, cache, float64=True)
    assert not plain.info["float64"]
    assert full.info["float64"]
    assert full.info["loaded"] == "model.treelite"
    np.testing.assert_allclose(full.score(x), reference_scorer(bundle).score(x), rtol=0, atol=1e-5)


def test_a_kernel_that_scores_otherwise_is_never_served(teacher, cache, monkeypatch):
    monkeypatch.setattr(check.BlendScorer, "score", lambda self, x: np.ones(len(x), dtype=np.float32))
    with pytest.raises(EngineError, match=r"off by .* from the forest's score"):
        opened(teacher("lightgbm"), cache)


def test_a_split_that_nothing_can_meet_is_refused_by_name(tmp_path, cache):
    bundle = sealed(Forest((leaf(1.0), stump(0, -np.inf, 1.0, 2.0)), 1, "<", "float32"), tmp_path / "bundle")
    with pytest.raises(EngineError, match="tree 1, node 0 compares x < -inf") as caught:
        opened(bundle, cache, fallback="none")
    assert str(tmp_path) in caught.value.where


@pytest.mark.parametrize("isa", library.KERNEL.supported())
def test_a_feature_of_thousands_of_categories_gets_as_many_columns_as_it_takes(tmp_path, cache, isa):
    rng = np.random.default_rng(1)
    sets = [rng.choice(5000, size, replace=False).tolist() for size in (1, 2, 40, 2500, *[700] * 60)]
    trees = tuple(category_stump(1, own, rng.normal(), rng.normal(), bool(rng.integers(2))) for own in [*sets, []])
    scorer = opened(sealed(Forest(trees, 3), tmp_path / "bundle"), cache, isa=isa)
    x = np.zeros((5040, 3), dtype=np.float32)
    x[:, 1] = np.concatenate([np.arange(-3, 5030), [0.5, -0.5, 8.99, 1e30, np.nan, np.inf, -np.inf]])
    np.testing.assert_array_equal(scorer.leaf_nodes(x), leaf_indices(Forest(trees, 3), x))


def test_a_category_too_large_for_float32_is_refused_by_name(tmp_path, cache):
    forest = Forest((leaf(1.0), category_stump(0, [3, 1 << 24], 1.0, 2.0)), 1)
    bundle = sealed(forest, tmp_path / "bundle")
    with pytest.raises(EngineError, match="tree 1, node 0 lists category 16777216"):
        opened(bundle, cache, fallback="none")
    scorer = opened(bundle, cache)
    assert "tree 1, node 0" in scorer.info["fallback_reason"]
    np.testing.assert_array_equal(scorer.score(np.float32([[3], [4]])), np.float32([2, 3]))


def test_threads_share_a_scorer(teacher, splits, cache):
    scorer = opened(teacher("lightgbm"), cache)
    lists = [np.ascontiguousarray(splits.test.features[start : start + 150]) for start in range(0, 300, 50)]
    expected = [scorer.score(x) for x in lists]
    wrong = []

    def work():
        for _ in range(200):
            for x, scores in zip(lists, expected, strict=True):
                if not np.array_equal(scorer.score(x), scores):
                    wrong.append(x)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize("n", [1, 128, 129, 200, 256, 257, 1000])
def test_threads_of_one_list_change_no_score(teacher, splits, cache, n):
    x = np.resize(splits.test.features, (n, splits.test.n_features))
    alone = opened(teacher("lightgbm"), cache).score(x)
    for n_threads in (2, 3, 7):
        scorer = opened(teacher("lightgbm"), cache, n_threads=n_threads)
        assert scorer.info["threads"] == n_threads
        for rows in (x, x.astype(np.float64)):
            np.testing.assert_array_equal(scorer.score(rows), alone)


def test_threads_of_one_list_end_with_the_process(teacher, tmp_path):
    program = (
        "import sys, numpy as np; from pathlib import Path; from harness.bundle import open_bundle;"
        "from harness.engines import bitblend;"
        "b = open_bundle(Path(sys.argv[1])); s = bitblend.open(bitblend.Options(n_threads=2), b, Path(sys.argv[2]));"
        "print(s.score(np.zeros((300, b.manifest.n_features), np.float32)).size)"
    )
    command = [sys.executable, "-c", program, str(teacher("lightgbm").path), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "300", "")


def test_rows_of_another_shape_or_type_are_an_error(teacher, cache):
    scorer = opened(teacher("lightgbm"), cache)
    for x in (np.zeros((2, 11), np.float32), np.zeros((2, 12), np.float16), np.zeros((12, 2), np.float32).T):
        with pytest.raises(EngineError, match="12 features"):
            scorer.score(x)


def test_networks_are_refused(teacher):
    engine = registry.engine("bitblend")
    assert "mlp" in engine.refuses(engine.Options(), teacher("mlp").manifest)


def test_leaf_sums_are_exact_to_the_scale():
    rng = np.random.default_rng(0)
    trees = [rng.normal(loc=1e3 * rng.normal(), size=rng.integers(2, 100)) for _ in range(50)]
    leaves = leaf_values_of(trees, permuted_leaves=0)
    for tree, begin in zip(trees, leaves.begin, strict=True):
        numbers = leaves.values[begin : begin + tree.size].astype(np.float64)
        steps = np.diff(numbers) * leaves.scale
        np.testing.assert_allclose(steps, np.diff(tree), atol=1.01 * leaves.scale)
    largest = np.maximum.reduceat(np.abs(leaves.values.astype(np.float64)), leaves.begin)
    assert 2**30 < largest.sum() < 2**31


def test_a_search_table_finds_every_rank_by_hand():
    for n in (33, 100, 255):
        edges = np.arange(n, dtype=np.float32)
        n_levels, table = search_table(edges)
        rows = table[table.size - (8 << n_levels) :]
        for value in (-1.0, 0.0, 0.5, 31.0, n - 1.0, n + 1.0):
            at = 1
            for _ in range(n_levels):
                at = 2 * at + int(table[at] < value)
            row = at - (1 << n_levels)
            assert 8 * row + (rows[8 * row : 8 * row + 8] < value).sum() == (edges < value).sum()


SANITIZED = """
import sys, numpy as np
from pathlib import Path
from harness.bundle import open_bundle
from harness.early_exit import Exit
from harness.engines.bitblend.leaving import LeavingScorer
from harness.engines.bitblend.library import Library, load
from harness.engines.bitblend.program import program_of
from harness.engines.bitblend.scorer import BlendScorer
from harness.trees import artefacts
from harness.trees.forest import categories_of
kernel = Library(load(Path(sys.argv[1])), {}, True)
for path in sys.argv[2:]:
    forest, rng = artefacts.load(open_bundle(Path(path))), np.random.default_rng(0)
    permuted, sentinels = kernel.permuted_leaves, (1, 3, 7)
    program = program_of(forest, permuted_leaves=permuted, lightgbm_zero=False, where="", sentinels=sentinels)
    scorer = BlendScorer(program, kernel, forest.n_features)
    exits = Exit(rule="proximity", sentinels=sentinels, k=2, cuts=(-0.5, -0.2, 0.0), base_score=0.0, mean_trees=1)
    leaving = LeavingScorer(scorer, program, kernel, exits)
    x = rng.normal(size=(300, forest.n_features)).astype(np.float32)
    for feature, categories in categories_of(forest.trees).items():
        x[:, feature] = rng.choice([*categories, -1, -0.5, 1e9, np.inf, -np.inf, np.nan, categories.max() + 1], 300)
    for n in (0, 1, 5, 31, 32, 33, 64, 100, 128, 129, 300):
        scorer.score(np.array(x[:n])), scorer.leaf_nodes(np.array(x[300 - n:]))
        leaving.score(np.array(x[:n])), leaving.score(x[:n].astype(np.float64))
        scorer.score(x[:n].astype(np.float64)), scorer.leaf_nodes(x[300 - n:].astype(np.float64))
print("scored")
"""


@pytest.mark.parametrize("isa", library.KERNEL.supported())
def test_the_kernel_is_clean_under_the_sanitizers(teacher, tmp_path, isa):
    kernel = tmp_path / "sanitized.so"
    flags = ["-O1", "-g", "-std=gnu11", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    source = next(path for path in library.KERNEL.sources if path.name == "bitblend.c")
    subprocess.run(
        ["gcc", *flags, *library.KERNEL.flags[isa], "-fPIC", "-shared", "-o", str(kernel), str(source)], check=True
    )
    runtimes = [
        subprocess.run(["gcc", f"-print-file-name={name}"], capture_output=True, text=True, check=True).stdout.strip()
        for name in ("libasan.so", "libubsan.so")
    ]
    stumps = [category_stump(i % 3, sorted({i, 2 * i, 31 * i, 250 - i}), 1.0, 2.0, i % 2 == 0) for i in range(40)]
    by_category = sealed(Forest((*stumps, stump(3, 0.5, 1.0, 2.0)), 4), tmp_path / "categories")
    environment = {**os.environ, "LD_PRELOAD": " ".join(runtimes), "ASAN_OPTIONS": "detect_leaks=0"}
    done = subprocess.run(
        [sys.executable, "-c", SANITIZED, str(kernel), str(teacher("lightgbm").path), str(by_category.path)],
        env=environment, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.strip() == "scored"


def test_the_structs_of_python_are_those_of_c(tmp_path):
    """A wrong offset would score wrongly only for some models, so sizes are compared as the compiler sees them."""
    from harness.engines.bitblend import columns, leaving, program

    header = next(path for path in library.KERNEL.sources if path.name == "model.h")
    names = ["column", "bottom", "top", "group", "tree", "stage", "model", "exits"]
    source = tmp_path / "sizes.c"
    sizes = ", ".join(f"sizeof(struct {name})" for name in names)
    source.write_text(f'#include "{header}"\nint sizes[] = {{{sizes}}};\n')
    subprocess.run(["gcc", "-fPIC", "-shared", "-o", str(tmp_path / "sizes.so"), str(source)], check=True)
    found = (ctypes.c_int * len(names)).in_dll(ctypes.CDLL(str(tmp_path / "sizes.so")), "sizes")
    dtypes = (columns.COLUMN, program.BOTTOM, program.TOP, program.GROUP, program.TREE, leaving.STAGE)
    structs = (library.CModel, library.CExits)
    assert list(found) == [*(dtype.itemsize for dtype in dtypes), *map(ctypes.sizeof, structs)]


def test_the_benchmark_of_its_parts_compiles_against_the_kernel():
    source = Path(__file__).parents[2] / "benchmarks/blend_bound.c"
    subprocess.run(["gcc", "-fsyntax-only", "-std=gnu11", f"-I{library.KERNEL.folder}", str(source)], check=True)
