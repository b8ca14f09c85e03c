"""The file of a network: what comes back, what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.errors import ModelError
from harness.mlp.model import Layer, MlpModel
from harness.mlp.model_file import load, save


def test_round_trip(random_model, tmp_path):
    for model in (random_model(16, 8), random_model(16, 8).quantised(), random_model()):
        save(tmp_path / "model.npz", model)
        back = load(tmp_path / "model.npz")
        assert np.array_equal(back.transform.scale, model.transform.scale)
        assert np.array_equal(back.transform.missing, model.transform.missing)
        assert (back.hidden, back.precision, back.size) == (model.hidden, model.precision, model.size)
        for ours, theirs in zip(back.layers, model.layers, strict=True):
            assert ours.weight.dtype == theirs.weight.dtype
            assert np.array_equal(ours.weight, theirs.weight)
            assert np.array_equal(ours.bias, theirs.bias)


def test_equal_models_give_equal_bytes(random_model, tmp_path):
    for name in ("a.npz", "b.npz"):
        save(tmp_path / name, random_model(16, 8))
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_int8_is_within_half_a_step_of_fp32_and_a_quarter_of_its_bytes(random_model, tmp_path):
    model = random_model(256, 128)
    small = model.quantised()
    for before, after in zip(model.layers[:-1], small.layers[:-1], strict=True):
        assert after.weight.dtype == np.int8
        assert np.abs(after.weight).max(axis=1).tolist() == [127] * after.bias.size
        assert (np.abs(before.weight - after.weight * after.scale) <= after.scale * 0.501).all()
    assert small.layers[-1] is model.layers[-1]
    assert small.size.n_parameters == model.size.n_parameters == 9 * 256 + 256 + 256 * 128 + 128 + 128 + 1
    save(tmp_path / "fp32.npz", model)
    save(tmp_path / "int8.npz", small)
    assert (tmp_path / "int8.npz").stat().st_size < 0.32 * (tmp_path / "fp32.npz").stat().st_size


def test_a_unit_without_weights_survives_quantisation():
    layer = Layer(np.float32([[0, 0], [1, -2]]), np.float32([0, 0])).quantised()
    assert layer.weight.tolist() == [[0, 0], [64, -127]]


def test_missing_file(tmp_path):
    with pytest.raises(ModelError, match=r"gone\.npz"):
        load(tmp_path / "gone.npz")


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04", b"PK\x05\x06" + b"\0" * 18])
def test_other_files_are_refused(tmp_path, content):
    (tmp_path / "model.npz").write_bytes(content)
    with pytest.raises(ModelError, match="not a sound network file"):
        load(tmp_path / "model.npz")


def test_pickled_arrays_are_refused(tmp_path):
    np.savez(tmp_path / "model.npz", scale=np.array([{"a": 1}], dtype=object))
    with pytest.raises(ModelError, match="pickle"):
        load(tmp_path / "model.npz")


def test_damage_anywhere_is_refused_or_harmless(random_model, tmp_path):
    path = tmp_path / "model.npz"
    save(path, random_model(4))
    sound = path.read_bytes()
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(300):
        damaged = bytearray(sound)
        damaged[rng.integers(len(sound))] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        try:
            load(path)
        except ModelError:
            refused += 1
    assert refused > 150
    for length in rng.integers(len(sound), size=50):
        path.write_bytes(sound[:length])
        with pytest.raises(ModelError):
            load(path)


def broken_models(model):
    first, *rest = model.layers
    wide = Layer(np.zeros((3, 9), np.float32), np.zeros(3, np.float32))
    yield "weight_1", MlpModel(model.transform, (wide, *rest))
    yield "weight_0", MlpModel(model.transform, (replace(first, weight=first.weight.astype(np.float64)), *rest))
    yield "bias_0", MlpModel(model.transform, (replace(first, bias=np.full_like(first.bias, np.nan)), *rest))
    yield "last layer", MlpModel(model.transform, (first,))
    yield "last layer", MlpModel(model.transform, ())
    yield "missing", MlpModel(replace(model.transform, missing=np.array([1, 7])), model.layers)
    yield "shift", MlpModel(replace(model.transform, shift=np.zeros(3, np.float32)), model.layers)


def test_shapes_and_types_that_do_not_fit_are_named(random_model, tmp_path):
    for name, broken in broken_models(random_model(4)):
        save(tmp_path / "model.npz", broken)
        with pytest.raises(ModelError, match=name):
            load(tmp_path / "model.npz")


def test_a_missing_array_is_named(tmp_path):
    np.savez(tmp_path / "model.npz", scale=np.ones(2, np.float32))
    with pytest.raises(ModelError, match="has no array shift"):
        load(tmp_path / "model.npz")
