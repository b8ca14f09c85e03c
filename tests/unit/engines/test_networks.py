"""What the engines of networks refuse, and how a compiled network is kept and checked."""

import numpy as np
import pytest

from harness import registry
from harness.bundle import Draft, seal
from harness.engines import onnxruntime_int8
from harness.errors import EngineError
from harness.records import ModelSize

NETWORK_ENGINES = ("onnxruntime", "onnxruntime_int8", "aotinductor")


def changed(bundle, **meta):
    return bundle.manifest.model_copy(update={"meta": {**bundle.manifest.meta, **meta}})


@pytest.mark.parametrize("name", NETWORK_ENGINES)
def test_networks_that_are_int8_already_are_refused(teacher, name):
    engine = registry.engine(name)
    assert engine.refuses(engine.Options(), teacher("mlp").manifest) == ""
    assert "at run time" in engine.refuses(engine.Options(), changed(teacher("mlp"), quantise={"weights": "int8"}))


def test_int8_needs_ranges_and_a_hidden_layer(teacher):
    options, manifest = onnxruntime_int8.Options(), teacher("mlp").manifest
    meta = {key: value for key, value in manifest.meta.items() if key != "activation_ranges"}
    assert "train it again" in onnxruntime_int8.refuses(options, manifest.model_copy(update={"meta": meta}))
    assert "no hidden layer" in onnxruntime_int8.refuses(options, changed(teacher("mlp"), hidden=[]))


def test_bytes_that_would_overflow_get_seven_bits(monkeypatch):
    for machine, vector, bits in [
        ("x86_64", ["avx2"], 7),
        ("x86_64", ["avx2", "avx_vnni"], 8),
        ("aarch64", ["asimd"], 8),
    ]:
        monkeypatch.setattr(onnxruntime_int8, "isa", lambda m=machine, v=vector: {"machine": m, "vector": v})
        assert onnxruntime_int8.weight_bits() == bits


def test_int8_says_what_it_gives_up(teacher, tmp_path):
    scorer = onnxruntime_int8.open(onnxruntime_int8.Options(), teacher("mlp"), tmp_path)
    assert scorer.info["tolerance"] is None
    assert "int8" in scorer.info["lossy"]


def test_auto_is_no_engine_to_open(teacher, tmp_path):
    engine = registry.engine("auto")
    with pytest.raises(EngineError, match="chosen before"):
        engine.open(engine.Options(), teacher("mlp"), tmp_path)


def test_a_network_that_torch_cannot_compile_is_an_error_with_its_reason(tmp_path):
    from harness.engines import aotinductor

    (tmp_path / "b").mkdir()
    np.savez(tmp_path / "b" / "model.npz", scale=np.ones(3, np.float32))
    bundle = seal(tmp_path / "b", Draft("mlp", 3, ("a", "b", "c"), ModelSize()), origin={})
    with pytest.raises(EngineError, match="torch can't compile it"):
        aotinductor.open(aotinductor.Options(), bundle, tmp_path / "cache")
    assert not list(tmp_path.glob("cache/aotinductor/[!.]*")), "nothing half made is kept"
