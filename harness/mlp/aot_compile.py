"""The child process that compiles a network ahead of time: MODEL_NPZ PACKAGE PARENT_PID.

Torch's compiler takes half a gigabyte and leaves workers behind; a process of its own gives all of that back.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from harness.tether import die_with_parent

_EXAMPLE_ROWS = 7


def main(file: Path, package: Path) -> None:
    """Export the network for any number of rows, compile it, and write the package."""
    import torch
    from torch.export import Dim, export

    from harness.mlp.model_file import load
    from harness.mlp.torch_module import Network

    network = Network(load(file)).eval()
    x = torch.zeros(_EXAMPLE_ROWS, network.scale.numel())
    with torch.no_grad():
        program = export(network, (x,), dynamic_shapes={"x": {0: Dim("n", min=1)}})
        torch._inductor.aoti_compile_and_package(program, package_path=str(package))


if __name__ == "__main__":
    _, model_file, package_file, parent = sys.argv
    die_with_parent(int(parent))
    with tempfile.TemporaryDirectory(prefix="harness-inductor-") as scratch:
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = scratch
        os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")
        main(Path(model_file), Path(package_file))
