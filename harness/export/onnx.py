"""An ONNX graph: `model.onnx`, of trees or of a network, for ONNX Runtime and others (optional extra `onnx`).

One float32 input [n, n_features], one output of n scores. Every candidate reaches the same leaf as in the model's own
library (`harness.trees.formats.onnx_export`). Choose it for a service that speaks ONNX; splits by category, and
networks quantised at run time, have no place in it.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from harness.bundle import Bundle
from harness.engines._networks import refuses_dynamic
from harness.engines._onnx_graph import graph_of, refuses_trees
from harness.engines._onnx_session import missing_packages
from harness.records import Manifest

_FILE = "model.onnx"
USAGE = f"""\
import onnxruntime
session = onnxruntime.InferenceSession("{_FILE}", providers=["CPUExecutionProvider"])
scores = session.run(None, {{session.get_inputs()[0].name: x}})[0].reshape(-1)
"""


def refuses(manifest: Manifest) -> str:
    """Trees, networks in float32 or on fixed grids, and what is ONNX already."""
    match manifest.format:
        case "onnx":
            return ""
        case "mlp":
            return refuses_dynamic(manifest) or missing_packages("onnx")
        case "trees":
            return refuses_trees(manifest) or missing_packages("onnx")
    return f"there is no way from {manifest.format} to ONNX here: export it with the library it is from"


def write(bundle: Bundle, out: Path) -> None:
    """Make the graph. ModelError for a split that it can't hold."""
    if bundle.manifest.format == "onnx":
        shutil.copyfile(bundle.artefact, out / _FILE)
    else:
        (out / _FILE).write_bytes(graph_of(bundle))


def lacks() -> str:
    """ONNX Runtime, which writing the file does not need."""
    return missing_packages("onnxruntime")
