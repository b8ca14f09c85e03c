import sys

import pytest

from harness import registry
from harness.errors import UsageError

EXPECTED = {
    "datasets": {"synthetic_feed", "letor", "table"},
    "rankers": {"lightgbm", "xgboost", "mlp", "file"},
    "methods": {"truncate", "prune_leaves", "prune_levels", "prune_features", "distil_gbdt", "distil_mlp", "quantise"},
    "engines": {"native", "gtil", "tl2cgen", "onnxruntime", "fake"},
    "adapters": {"oip", "rank", "template"},
    "formats": {"terminal", "json", "markdown", "html"},
    "exporters": {"lightgbm", "xgboost", "treelite", "onnx", "c"},
    "sinks": {"mlflow", "opentelemetry", "wandb"},
}


@pytest.mark.parametrize("kind", EXPECTED)
def test_every_plug_in_is_found_and_has_a_line_about_itself(kind):
    assert set(registry.names(kind)) >= EXPECTED[kind]
    for name in registry.names(kind):
        line = registry.summary(kind, name)
        assert 10 < len(line) <= 140, name


def test_a_near_miss_is_named():
    with pytest.raises(UsageError, match=r"no engine 'navite' \(did you mean 'native'\? one of: aotinductor, auto"):
        registry.engine("navite")


def test_summaries_do_not_import():
    sys.modules.pop("harness.engines.native", None)
    registry.summary("engines", "native")
    assert "harness.engines.native" not in sys.modules


def test_a_new_file_is_a_plug_in(tmp_path, monkeypatch):
    (tmp_path / "engines").mkdir()
    (tmp_path / "engines" / "mine.py").write_text('"""My own engine."""\n')
    (tmp_path / "engines" / "_shared.py").write_text("")
    monkeypatch.setattr(registry, "_PACKAGE", tmp_path)
    assert registry.names("engines") == ["mine"]
    assert registry.summary("engines", "mine") == "My own engine."
