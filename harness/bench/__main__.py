"""The child process of `harness.bench.trial`: opens one engine and prints what that took as the last line, JSON."""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import psutil

from harness import registry
from harness.bundle import open_bundle
from harness.errors import HarnessError
from harness.opening import open_engine
from harness.scenario import Choice, options
from harness.tether import die_with_parent

_N_ROWS = 256


def main(bundle: Path, engine: Choice, cache_dir: Path) -> dict[str, Any]:
    """Seconds to open it, and resident bytes that opening and scoring add to this process; or what went wrong."""
    try:
        opened, chosen = open_bundle(bundle), options("engines", engine)
        x = np.zeros((_N_ROWS, opened.manifest.n_features), dtype=np.float32)
        before = _resident_bytes()
        started = time.perf_counter()
        scorer = open_engine(registry.engine(engine.kind), chosen, opened, cache_dir)
        open_s = time.perf_counter() - started
        scorer.score(x)
        return {"open_s": open_s, "memory_bytes": _resident_bytes() - before}
    except HarnessError as error:
        return {"error": str(error)}


def _resident_bytes() -> int:
    gc.collect()
    return int(psutil.Process().memory_info().rss)


def _end(_: int, __: FrameType | None) -> None:
    raise SystemExit("ended by its parent")  # unwinds, so that compilers under way are ended too


if __name__ == "__main__":
    _, parent, bundle, engine, cache_dir = sys.argv
    signal.signal(signal.SIGTERM, _end)
    die_with_parent(int(parent), signal.SIGTERM)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    found = main(Path(bundle), Choice.model_validate_json(engine), Path(cache_dir))
    sys.stdout.write("\n" + json.dumps(found) + "\n")
