import pytest

from harness.bundle import Draft, open_bundle, seal
from harness.errors import ModelError
from harness.records import ModelSize


@pytest.fixture
def bundle(tmp_path):
    (tmp_path / "model.npz").write_bytes(b"weights")
    return seal(tmp_path, Draft("mlp", 2, ("a", "b"), ModelSize(n_parameters=3)), origin={"kind": "test"})


def test_a_sealed_bundle_opens_with_its_size(bundle):
    again = open_bundle(bundle.path)
    assert again.manifest.model_dump_json() == bundle.manifest.model_dump_json()
    assert again.manifest.size.disk_bytes == 7
    assert again.artefact.read_bytes() == b"weights"


def test_a_changed_file_is_refused(bundle):
    bundle.artefact.write_bytes(b"Weights")
    with pytest.raises(ModelError, match=r"model\.npz does not match its digest"):
        open_bundle(bundle.path)


def test_a_missing_file_is_named(bundle):
    bundle.artefact.unlink()
    with pytest.raises(ModelError, match=r"model\.npz is missing"):
        open_bundle(bundle.path)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": "mlp"}'])
def test_a_damaged_manifest_is_refused(bundle, text):
    (bundle.path / "manifest.json").write_text(text)
    with pytest.raises(ModelError, match="unreadable manifest"):
        open_bundle(bundle.path)


def test_a_file_outside_the_bundle_is_refused(bundle):
    manifest = bundle.path / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"model.npz"', '"../model.npz"'))
    with pytest.raises(ModelError, match="is missing"):
        open_bundle(bundle.path)


def test_a_folder_that_is_no_bundle(tmp_path):
    with pytest.raises(ModelError, match="not a bundle"):
        open_bundle(tmp_path)


def test_sealing_needs_the_canonical_artefact(tmp_path):
    with pytest.raises(ModelError, match=r"needs model\.treelite"):
        seal(tmp_path, Draft("trees", 1, ("a",), ModelSize()), origin={})


def test_the_digest_ignores_origin_but_not_content(tmp_path, bundle):
    other = tmp_path / "other"
    other.mkdir()
    (other / "model.npz").write_bytes(b"weights")
    again = seal(other, Draft("mlp", 2, ("a", "b"), ModelSize()), origin={"kind": "elsewhere"})
    assert again.manifest.digest == bundle.manifest.digest
