"""What every exporter keeps to: it says what it can't hold, and what it writes is scored the same without us."""

from __future__ import annotations

import pytest

from harness import registry
from harness.errors import ModelError
from harness.pipeline.model_export import export_model

TEACHERS = ("lightgbm", "xgboost", "mlp")


@pytest.fixture(params=registry.names("exporters"))
def form(request):
    return request.param


@pytest.mark.parametrize("kind", TEACHERS)
def test_an_export_is_checked_and_whole_or_refused(form, kind, teacher, tmp_path):
    folder, bundle = tmp_path / "out", teacher(kind)
    if reason := registry.exporter(form).refuses(bundle.manifest):
        with pytest.raises(ModelError) as refused:
            export_model(bundle, form, folder, lambda _: None)
        assert refused.value.what == reason
        assert not folder.exists()
        return
    done = export_model(bundle, form, folder, lambda _: None)
    assert {path.name for path in folder.iterdir()} == {*done.files, "README.md"}, "nothing but what it names"
    assert done.checked.startswith("Not checked: " if registry.exporter(form).lacks() else "Checked on ")
    readme = (folder / "README.md").read_text()
    assert done.usage in readme
    assert bundle.manifest.digest in readme
    for path in folder.iterdir():
        content = path.read_bytes()
        assert str(tmp_path).encode() not in content
        assert str(bundle.path).encode() not in content


def test_every_exporter_takes_something_and_says_why_not_the_rest(form, teacher):
    manifests = [teacher(kind).manifest for kind in TEACHERS]
    manifests.append(manifests[0].model_copy(update={"format": "torchscript"}))
    reasons = [registry.exporter(form).refuses(manifest) for manifest in manifests]
    assert "" in reasons
    assert all(len(reason) > 20 for reason in reasons if reason)
    assert "harness" not in registry.exporter(form).USAGE
    compile(registry.exporter(form).USAGE, form, "exec")
