"""What is built: bundles, their size and quality, and the ledger of a recipe."""

from __future__ import annotations

from harness.records.base import SCHEMA_VERSION, Facts, Record


class FileEntry(Record):
    """One file of a bundle."""

    sha256: str
    n_bytes: int


class Manifest(Record):
    """What a bundle is: format, content digest, size and origin.

    `format` is `trees` (model.treelite and model.packed, plus model.txt or model.json where the source library can
    read it back),
    `mlp` (model.npz), `torchscript` (model.pt) or `onnx` (model.onnx).
    """

    schema_version: int = SCHEMA_VERSION
    format: str
    digest: str
    files: dict[str, FileEntry]
    n_features: int
    feature_names: tuple[str, ...]
    parents: tuple[str, ...] = ()
    origin: Facts = {}
    size: ModelSize
    meta: Facts = {}

    @property
    def source(self) -> str:
        """The library whose own file format the bundle also carries (`lightgbm`, `xgboost`), or ``""``."""
        return {"model.txt": "lightgbm", "model.json": "xgboost"}.get(
            next((name for name in ("model.txt", "model.json") if name in self.files), ""), ""
        )


class ModelSize(Record):
    """Size of a model by measures that are the same for both sides of a comparison.

    disk_bytes: the canonical artefact (Treelite checkpoint, or .npz of a network);
    packed_bytes: trees in the fewest bits, the file model.packed (see `harness.trees.packed`); 0 for networks;
    packed_bits_per_node: the same per node; NaN for networks.
    """

    n_trees: int = 0
    n_nodes: int = 0
    n_leaves: int = 0
    n_parameters: int = 0
    disk_bytes: int = 0
    packed_bytes: int = 0
    packed_bits_per_node: float = float("nan")


class QualityDrop(Record):
    """Paired NDCG difference teacher - compressed over query groups, with one-sided 95 % bootstrap bounds."""

    ndcg: float
    drop: float
    drop_lower: float
    drop_upper: float
    n_groups: int


class LedgerRow(Record):
    """One step of a recipe: what it did to quality, size and time; `control` is the cheap alternative at equal size."""

    step: str
    params: Facts = {}
    digest: str
    quality: QualityDrop
    size: ModelSize
    engine: str = ""
    engine_us: float = float("nan")
    engine_us_p99: float = float("nan")
    build_s: float = float("nan")
    cached: bool = False
    control: LedgerRow | None = None
    notes: tuple[str, ...] = ()


Manifest.model_rebuild()
LedgerRow.model_rebuild()
