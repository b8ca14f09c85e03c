"""What is built: bundles, their size and quality, and the ledger of a recipe."""

from __future__ import annotations

from typing import Literal

from harness.records.base import Facts, Record, Versioned


class FileEntry(Record):
    """One file of a bundle."""

    sha256: str
    n_bytes: int


class Manifest(Versioned):
    """What a bundle is: format, content digest, size and origin.

    `format` is `trees` (model.treelite and model.packed, plus model.txt or model.json where the source library can
    read it back),
    `mlp` (model.npz), `torchscript` (model.pt) or `onnx` (model.onnx).
    """

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
    packed_bytes: trees in the fewest bits, the file model.packed (see `harness.trees.formats.packed`); 0 for networks;
    packed_bits_per_node: the same per node; NaN for networks.
    """

    n_trees: int = 0
    n_nodes: int = 0
    n_leaves: int = 0
    n_parameters: int = 0
    disk_bytes: int = 0
    packed_bytes: int = 0
    packed_bits_per_node: float = float("nan")


class ListSizeNdcg(Record):
    """The query groups of `smallest` to `largest` candidates: their mean NDCG by the teacher and by the compressed
    ranker, and the loss between them with its one-sided 95 % bounds."""

    smallest: int
    largest: int
    n_groups: int
    teacher_ndcg: float
    ndcg: float
    drop: float
    drop_lower: float
    drop_upper: float


class GroupLosses(Record):
    """How a mean loss of NDCG is spread over query groups.

    n_unchanged: groups with the very same NDCG; losses: of the others (loss rounded to 0.02, groups), ascending and
    negative where a group gains; list_sizes: the same groups by how many candidates they have, in up to eight classes
    of about equally many groups.
    """

    n_unchanged: int
    losses: tuple[tuple[float, int], ...]
    list_sizes: tuple[ListSizeNdcg, ...]


class QualityDrop(Record):
    """Paired NDCG difference teacher - compressed over query groups, with one-sided 95 % bootstrap bounds.

    randomisation_p: Fisher's two-sided test of no difference; margin_p: bootstrap test of a loss over `margin`, which
    is at most 0.05 where the upper bound is within it (non-inferior); share_losing: of the groups, those that lose more
    than 0.1; worst_tenth: mean loss of the tenth of the groups that loses most. NaN, and no `groups`, where it was not
    asked for.
    """

    ndcg: float
    drop: float
    drop_lower: float
    drop_upper: float
    n_groups: int
    randomisation_p: float = float("nan")
    margin: float = float("nan")
    margin_p: float = float("nan")
    share_losing: float = float("nan")
    worst_tenth: float = float("nan")
    groups: GroupLosses | None = None

    @property
    def measured(self) -> bool:
        """Whether there were grades to measure it by."""
        return self.n_groups > 0

    def at(self, margin: float) -> Literal["non-inferior", "inferior", "undecided"]:
        """What the bounds say of a loss over `margin`: excluded, certain, or neither, at 95 % each."""
        if self.drop_upper <= margin:
            return "non-inferior"
        return "inferior" if self.drop_lower > margin else "undecided"


NOT_MEASURED = QualityDrop(
    ndcg=float("nan"), drop=float("nan"), drop_lower=float("nan"), drop_upper=float("nan"), n_groups=0
)
"""The quality of a ranker that came without data."""


class LedgerRow(Record):
    """One step of a recipe: what it did to quality, size and time.

    control: the cheap alternative at equal size; against_control: what this step loses against it, paired (negative:
    the step is better); memory_bytes: resident memory that opening it in an engine and scoring add to a process;
    gate_missed: why the step's quality gate was met by nothing smaller, empty where it was or there is none.
    """

    step: str
    params: Facts = {}
    digest: str
    quality: QualityDrop
    size: ModelSize
    engine: str = ""
    engine_us: float = float("nan")
    engine_us_p99: float = float("nan")
    memory_bytes: float = float("nan")
    build_s: float = float("nan")
    cached: bool = False
    control: LedgerRow | None = None
    against_control: QualityDrop | None = None
    gate_missed: str = ""
    notes: tuple[str, ...] = ()

    @property
    def control_does(self) -> Literal["", "worse", "as well", "better"]:
        """How the control ranks beside the step, by the paired bounds at 95 % each; empty without a comparison.

        "As well" says that the bounds do not exclude zero. Records of old hold no paired comparison: a control that
        loses no more than the step itself does as well there, and of any other nothing is said.
        """
        if self.control is None:
            return ""
        paired = self.against_control
        if paired is None:
            return "as well" if self.control.quality.drop <= self.quality.drop else ""
        return "worse" if paired.drop_upper < 0 else "better" if paired.drop_lower > 0 else "as well"


Manifest.model_rebuild()
LedgerRow.model_rebuild()
