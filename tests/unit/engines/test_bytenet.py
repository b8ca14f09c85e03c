"""bytenet as an engine: the same whole numbers as in numpy, however large; built once, clear in refusal."""

import ctypes
import json
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

from harness.bundle import seal
from harness.engines import bytenet, onnxruntime_int8
from harness.engines.bytenet import arithmetic, check, library, packing
from harness.engines.bytenet.runs import runs_of
from harness.engines.bytenet.scorer import ByteScorer
from harness.errors import EngineError
from harness.mlp import artefacts
from harness.mlp.model import Grid, Layer, MlpModel
from harness.mlp.transform import CLIP, InputTransform, Transformer

SUPPORTED = library.KERNEL.supported()
INPUTS = Grid(np.float32(2 * CLIP / 255), np.uint8(128))


def network(widths, seed=0, peak=63, missing=()):
    """Random whole weights up to `peak`, one unit all positive, one all negative, on grids of which all bytes occur."""
    rng = np.random.default_rng(seed)
    n_features, *hidden = widths
    transform = InputTransform(
        rng.uniform(0.5, 2, n_features).astype(np.float32),
        rng.normal(size=n_features).astype(np.float32),
        np.array(missing, dtype=np.int64),
    )
    layers, n_in = [], n_features + len(missing)
    for n_out in hidden:
        weight = rng.integers(-peak, peak + 1, (n_out, n_in)).astype(np.int8)
        weight[0], weight[-1] = peak, -peak
        scale = rng.uniform(0.005, 0.02, (n_out, 1)).astype(np.float32)
        layers.append(Layer(weight, rng.normal(size=n_out).astype(np.float32), scale))
        n_in = n_out
    layers.append(Layer(rng.normal(size=(1, n_in)).astype(np.float32), np.float32([0.5])))
    grids = (INPUTS, *(Grid(np.float32(0.05 * 4**i), np.uint8(7 * i)) for i in range(len(hidden))))
    return MlpModel(transform, tuple(layers), grids)


def bundled(model, out):
    out.mkdir()
    names = tuple(f"f{i}" for i in range(model.transform.n_features))
    meta = {"quantise": {"weights": "int8", "activations": "static"}}
    return seal(out, artefacts.save(model, out, names, meta=meta), origin={})


def opened(bundle, cache_dir, **options):
    return bytenet.open(bytenet.Options(**options), bundle, cache_dir)


def scorer_of(model, cache_dir, isa="auto"):
    kernel = library.obtain(library.KERNEL.instruction_set(isa), cache_dir)
    return ByteScorer(packing.pack(model, kernel.partial_bits, "a test"), kernel)


@pytest.mark.parametrize("isa", SUPPORTED)
@pytest.mark.parametrize(
    ("widths", "missing"),
    [((1, 1), ()), ((5, 3, 2), (4,)), ((16, 8), (0, 5, 15)), ((37, 65, 30, 9), range(37)), ((9, 200, 4), (1, 2))],
)
def test_scores_are_the_same_numbers_as_in_numpy(engine_cache, isa, widths, missing):
    model = network(widths, seed=len(widths), missing=tuple(missing))
    scorer, rows = scorer_of(model, engine_cache, isa), check.probe(widths[0])
    x = np.concatenate([rows, -rows, np.full_like(rows, np.inf), np.full_like(rows, np.nan)])
    expected = arithmetic.scores(model, x)
    assert np.unique(expected).size > 5
    for n in (1, 3, 4, 5, 8, 16, 17, 100, 127, 128, 129, 137, 257):
        np.testing.assert_array_equal(scorer.score(x[:n].copy()), expected[:n])


@pytest.mark.parametrize("isa", SUPPORTED)
def test_no_sum_overflows_at_the_inputs_that_make_it_largest_and_smallest(engine_cache, isa):
    model = network((64, 40), seed=3)
    far = np.float32(1e30) * np.sign(model.layers[0].weight.astype(np.float32))
    x = np.concatenate([far, -far])
    assert np.ptp(arithmetic.input_bytes(model, x)) >= 254
    np.testing.assert_array_equal(scorer_of(model, engine_cache, isa).score(x), arithmetic.scores(model, x))


def test_runs_are_as_long_as_their_sums_fit_and_end_as_the_numbers_they_stand_for():
    rng = np.random.default_rng(0)
    quads = rng.integers(-20, 21, (3, 50, 4, 4)).astype(np.int8)
    most = np.full((50, 4), 255, dtype=np.int64)
    runs = runs_of(quads, most, partial_bits=16, where="")
    assert runs.lengths.sum() == 150
    assert runs.lengths.mean() > 5
    assert runs.stream.size == 16 * (150 + runs.lengths.size)
    at = np.cumsum(runs.lengths) - runs.lengths
    flat = quads.reshape(150, 4, 2, 2).astype(np.int64) * 255
    width = np.add.reduceat(np.abs(flat).sum(axis=-1), at)
    assert width.max() < 1 << 16
    longer = [np.abs(flat[i : i + n + 1]).sum(axis=(0, -1)).max() for i, n in zip(at, runs.lengths, strict=True)]
    whole = (at + runs.lengths) % 50 > 0
    assert (np.array(longer)[whole] >= 1 << 16).all()
    starts = runs.stream.reshape(-1, 16)[at + np.arange(at.size)].copy().view("<i2").reshape(-1, 4, 2)
    for end in (flat.clip(0), flat.clip(None, 0)):
        sums = np.add.reduceat(end.sum(axis=-1), at) + starts
        assert np.abs(sums + 0.5).max() < 1 << 15


def test_logarithms_are_those_of_the_transform():
    rng = np.random.default_rng(0)
    x = (rng.normal(size=(4000, 1)) * 10.0 ** rng.integers(-38, 38, (4000, 1))).astype(np.float32)
    exact = np.copysign(np.log1p(np.abs(x.astype(np.float64))), x)
    np.testing.assert_allclose(arithmetic.signed_log(x), exact, rtol=3e-7)
    odd = np.float32([[np.inf, -np.inf, 0.0, 3.4e38, 1e-45]])
    np.testing.assert_allclose(arithmetic.signed_log(odd), np.sign(odd) * np.log1p(np.abs(odd)), rtol=3e-7)


def test_inputs_are_the_bytes_of_the_transform(splits):
    model = network((12, 4), missing=(0, 5))
    x = splits.test.features
    values = Transformer(model.transform)(x).numpy()
    steps = values / INPUTS.scale + int(INPUTS.zero)
    found = arithmetic.input_bytes(model, x).astype(np.float64)
    assert np.abs(found - steps.clip(0, 255)).max() < 0.501


def test_a_float32_network_is_scored_as_by_onnxruntime_in_int8(teacher, splits, engine_cache):
    bundle, x = teacher("mlp"), splits.test.features
    theirs = onnxruntime_int8.open(onnxruntime_int8.Options(), bundle, engine_cache).score(x)
    difference = np.abs(opened(bundle, engine_cache).score(x) - theirs) / np.abs(theirs).max()
    assert (difference < 1e-5).mean() > 0.95, "but where a value lies next to half a step"
    assert difference.max() < 0.1


def test_a_second_open_compiles_nothing(teacher, tmp_path, monkeypatch):
    from harness.engines import _kernel

    first = opened(teacher("mlp"), tmp_path)
    assert not first.info["cached"]
    monkeypatch.setattr(_kernel, "compile_library", lambda *_: pytest.fail("compiled again"))
    assert opened(teacher("mlp"), tmp_path).info["cached"]


def test_info_is_json_and_says_what_is_given_up(teacher, engine_cache):
    info = json.loads(json.dumps(dict(opened(teacher("mlp"), engine_cache, isa="baseline").info)))
    assert info["isa"] == "baseline"
    assert info["tolerance"] is None
    assert "weights of 7" in info["lossy"]
    assert info["table_bytes"] > 500
    assert info["mean_run"] > 1


def test_weights_of_eight_bits_go_where_sums_have_32(tmp_path, engine_cache):
    model = network((8, 4), peak=127)
    bundle, x = bundled(model, tmp_path / "b"), check.probe(8)
    wide = opened(bundle, engine_cache, isa="baseline", fallback="none")
    np.testing.assert_array_equal(wide.score(x), arithmetic.scores(model, x))
    if "avx2" in SUPPORTED:
        with pytest.raises(EngineError, match=r"over 7 bits") as caught:
            opened(bundle, engine_cache, isa="avx2", fallback="none")
        assert "layer 0" in caught.value.where
        assert "over 7 bits" in opened(bundle, engine_cache, isa="avx2").info["fallback_reason"]


def test_sums_beyond_32_bits_are_refused_by_name(engine_cache):
    model = network((8, 4))
    first = model.layers[0]
    heavy = Layer(first.weight, np.float32([0, 1e9, 0, 0]), first.scale)
    with pytest.raises(EngineError, match="the sum of unit 1"):
        scorer_of(MlpModel(model.transform, (heavy, *model.layers[1:]), model.grids), engine_cache)


def test_without_a_compiler_the_network_is_scored_natively_by_name(teacher, splits, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    scorer = opened(teacher("mlp"), tmp_path)
    assert scorer.info["fallback"] == "native"
    assert "needs a C compiler" in scorer.info["fallback_reason"]
    assert scorer.score(splits.test.features[:5]).shape == (5,)
    with pytest.raises(EngineError, match="needs a C compiler") as caught:
        opened(teacher("mlp"), tmp_path, fallback="none")
    assert "native" in caught.value.remedy


def test_a_kernel_that_scores_otherwise_is_never_served(teacher, engine_cache, monkeypatch):
    monkeypatch.setattr(check.ByteScorer, "score", lambda self, x: np.ones(len(x), dtype=np.float32))
    with pytest.raises(EngineError, match=r"scores 1.0 where .* is right"):
        opened(teacher("mlp"), engine_cache)


def test_rows_of_another_shape_or_type_are_an_error(teacher, engine_cache):
    scorer = opened(teacher("mlp"), engine_cache)
    for x in (np.zeros((2, 11), np.float32), np.zeros((2, 12)), np.zeros((12, 2), np.float32).T):
        with pytest.raises(EngineError, match="12 features"):
            scorer.score(x)


def test_threads_share_a_scorer(teacher, splits, engine_cache):
    scorer = opened(teacher("mlp"), engine_cache)
    lists = [np.ascontiguousarray(splits.test.features[start : start + 150]) for start in range(0, 300, 50)]
    expected, wrong = [scorer.score(x) for x in lists], []

    def work():
        for _ in range(100):
            for x, scores in zip(lists, expected, strict=True):
                if not np.array_equal(scorer.score(x), scores):
                    wrong.append(x)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize("isa", [name for name in library.KERNEL.flags if name not in SUPPORTED])
def test_instruction_sets_of_other_cpus_compile(tmp_path, isa):
    source = library.KERNEL.folder / "bytenet.c"
    flags = ["-O1", "-std=gnu11", "-Wall", "-Werror", *library.KERNEL.flags[isa]]
    done = subprocess.run(
        ["gcc", *flags, "-c", str(source), "-o", str(tmp_path / "x.o")], capture_output=True, text=True
    )
    if "unrecognized command-line option" in done.stderr or "unknown" in done.stderr:
        pytest.skip("this compiler does not know it, or is for another machine")
    assert done.returncode == 0, done.stderr


SANITIZED = """
import sys, numpy as np
from pathlib import Path
from harness.bundle import open_bundle
from harness.engines.bytenet import arithmetic, check
from harness.engines.bytenet.library import Library, load
from harness.engines.bytenet.packing import pack
from harness.engines.bytenet.scorer import ByteScorer
from harness.mlp import artefacts
kernel = Library(load(Path(sys.argv[1])), {}, True)
for path in sys.argv[2:]:
    model = artefacts.load(open_bundle(Path(path)))
    scorer, rows = ByteScorer(pack(model, kernel.partial_bits, ""), kernel), check.probe(model.transform.n_features)
    x = np.concatenate([rows] * 4)
    for n in (0, 1, 3, 8, 9, 31, 128, 129, 288):
        assert np.array_equal(scorer.score(np.array(x[:n])), arithmetic.scores(model, x[:n]))
print("scored")
"""


@pytest.mark.parametrize("isa", SUPPORTED)
def test_the_kernel_is_clean_under_the_sanitizers(tmp_path, isa):
    kernel = tmp_path / "sanitized.so"
    flags = [
        "-O1",
        "-g",
        "-std=gnu11",
        "-ffp-contract=off",
        "-fsanitize=address,undefined",
        "-fno-sanitize-recover=all",
    ]
    flags += [*library.KERNEL.flags[isa], "-fPIC", "-shared"]
    subprocess.run(["gcc", *flags, "-o", str(kernel), str(library.KERNEL.folder / "bytenet.c")], check=True)
    runtimes = [
        subprocess.run(["gcc", f"-print-file-name={name}"], capture_output=True, text=True, check=True).stdout.strip()
        for name in ("libasan.so", "libubsan.so")
    ]
    one = bundled(network((37, 65, 30, 9), missing=tuple(range(0, 37, 2))), tmp_path / "one")
    other = bundled(network((3, 2)), tmp_path / "other")
    environment = {**os.environ, "LD_PRELOAD": " ".join(runtimes), "ASAN_OPTIONS": "detect_leaks=0"}
    done = subprocess.run(
        [sys.executable, "-c", SANITIZED, str(kernel), str(one.path), str(other.path)],
        env=environment, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.strip() == "scored"


def test_the_structs_of_python_are_those_of_c(tmp_path):
    source = tmp_path / "sizes.c"
    fields = ", ".join(f"offsetof(struct model, {name})" for name, _ in library.CModel._fields_)
    sizes = f"sizeof(struct layer), sizeof(struct model), {fields}"
    source.write_text(f'#include <stddef.h>\n#include "{library.KERNEL.folder}/model.h"\nint sizes[] = {{{sizes}}};\n')
    subprocess.run(["gcc", "-fPIC", "-shared", "-o", str(tmp_path / "sizes.so"), str(source)], check=True)
    expected = [packing.LAYER.itemsize, ctypes.sizeof(library.CModel)]
    expected += [getattr(library.CModel, name).offset for name, _ in library.CModel._fields_]
    found = (ctypes.c_int * len(expected)).in_dll(ctypes.CDLL(str(tmp_path / "sizes.so")), "sizes")
    assert list(found) == expected
