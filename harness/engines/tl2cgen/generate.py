"""C for a tree bundle: the trees by TL2cgen, and what batch.c needs to know of them."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import tl2cgen

from harness.bundle import Bundle
from harness.engines._treelite import load_model
from harness.engines.tl2cgen.compiled import BLOCK_ROWS
from harness.engines.tl2cgen.thresholds import c_tables
from harness.errors import EngineError
from harness.trees.forest import Forest, categories_of
from harness.trees.probe_rows import thresholds_of

NODES_PER_UNIT = 800  # some 24 kB of machine code: a unit stays in a first-level instruction cache
_LARGEST_CATEGORY = 2**12 - 1
BATCH_C = Path(__file__).with_name("batch.c")


def generate(bundle: Bundle, forest: Forest, sources: Path, *, quantize: bool) -> int:
    """Write the C sources of the model and of the batch entry point into `sources`; the number of units."""
    n_trees = len(forest.trees)
    categorical = categories_of(forest.trees)
    for feature, categories in categorical.items():
        if (largest := int(categories.max(initial=0))) > _LARGEST_CATEGORY:
            raise EngineError(
                f"feature {feature} has a split on category {largest}: TL2cgen writes a comparison for each 64 "
                f"categories up to the largest, and {_LARGEST_CATEGORY} is the most that compiles in reasonable time",
                where=str(bundle.path),
                remedy="use engine: bitblend or gtil, or number the categories without gaps",
            )
    wanted = min(max(1, round(forest.n_nodes / NODES_PER_UNIT)), n_trees)
    model = load_model(bundle)
    with _quiet() as said:
        try:
            tl2cgen.generate_c_code(model, sources, {"parallel_comp": wanted, "quantize": int(quantize)})
        except tl2cgen.TL2cgenError as error:
            raise EngineError(
                f"TL2cgen {tl2cgen.__version__} can't compile it: {error}\n{said()}".strip(),
                where=str(bundle.path),
                remedy="use engine: gtil, or native where the bundle has its library's own file",
            ) from error
    n_units = len(list(sources.glob("tu*.c")))
    value_type = {"float32": "float", "float64": "double"}[forest.threshold_type]
    lines = [
        f"typedef {value_type} value_t;",
        f"#define N_FEATURES {forest.n_features}",
        f"#define BLOCK_ROWS {BLOCK_ROWS}",
        f"#define BASE_SCORE ((value_t){forest.base_score!r})",
        f"#define N_AVERAGED {n_trees if forest.average else 1}",
        f"#define EACH_UNIT(f) {' '.join(f'f({unit})' for unit in range(n_units))}",
    ]
    if quantize:
        lines += ["#define QUANTIZED", *c_tables(thresholds_of(forest), categorical)]
    (sources / "batch.h").write_text("\n".join(lines) + "\n", encoding="ascii")
    shutil.copy(BATCH_C, sources)
    return n_units


@contextlib.contextmanager
def _quiet() -> Iterator[Callable[[], str]]:
    """Keep TL2cgen's log (Python's stdout) and its Treelite's version warning (the C stderr) off the terminal.

    Yields a function that returns what was said.
    """
    sys.stderr.flush()
    kept, log = os.dup(2), io.StringIO()
    with tempfile.TemporaryFile() as file:

        def said() -> str:
            file.seek(0)
            return (file.read().decode(errors="replace") + log.getvalue()).strip()

        os.dup2(file.fileno(), 2)
        try:
            with contextlib.redirect_stdout(log):
                yield said
        finally:
            os.dup2(kept, 2)
            os.close(kept)
