"""One worker: engine loaded and warm, garbage frozen, then uvicorn on the inherited socket."""

from __future__ import annotations

import gc
import importlib.util
import logging
import socket
import time

import numpy as np

from harness import registry
from harness.bundle import open_bundle
from harness.errors import EngineError, ServeError
from harness.opening import open_engine
from harness.protocols import Scorer
from harness.serve.app import App
from harness.serve.spec import WorkerSpec
from harness.serve.stats import Board

_WARM_UP_SIZES = (1, 10, 100)
_WARM_UP_ROUNDS = 3
_WARM_UP_S = 1.0
_GC_THRESHOLD = 10_000


def serve(spec: WorkerSpec) -> None:
    """Serve until SIGTERM. Raises ServeError, ModelError or EngineError where it can't start."""
    logging.basicConfig(format="%(asctime)s %(name)s %(levelname)s: %(message)s", level=logging.WARNING)
    require_fast_http()
    bundle = open_bundle(spec.bundle)
    engine = registry.engine(spec.engine.kind)
    options = engine.Options(**spec.engine.options)
    if reason := engine.refuses(options, bundle.manifest):
        raise EngineError(reason, where=f"engine {spec.engine.kind!r}")
    scorer = open_engine(engine, options, bundle, spec.cache_dir)
    warm_up(scorer, bundle.manifest.n_features, spec.max_candidates)
    board = Board(spec.stats_fd)
    app = App(
        scorer,
        model=spec.model,
        engine=spec.engine.kind,
        n_features=bundle.manifest.n_features,
        max_candidates=spec.max_candidates,
        board=board,
        worker=spec.worker,
    )
    from harness.serve.http import run

    gc.collect()
    gc.freeze()
    gc.set_threshold(_GC_THRESHOLD)
    run(app, socket.socket(fileno=spec.socket_fd), board.slot(spec.worker).ready)


def require_fast_http() -> None:
    """ServeError where uvicorn or a library that it would quietly do without is missing."""
    missing = [name for name in ("uvicorn", "httptools", "uvloop") if importlib.util.find_spec(name) is None]
    if missing:
        raise ServeError(
            f"{', '.join(missing)} not installed; without them HTTP alone costs twice the CPU",
            remedy=f"pip install {' '.join(missing)}",
        )


def warm_up(scorer: Scorer, n_features: int, max_candidates: int) -> None:
    """Score a few lists, so that lazy set-up and first page faults are not a user's; a slow engine gets fewer."""
    rng = np.random.default_rng(0)
    deadline = time.monotonic() + _WARM_UP_S
    for n in _WARM_UP_SIZES * _WARM_UP_ROUNDS:
        if time.monotonic() > deadline:
            break
        scorer.score(rng.normal(size=(min(n, max_candidates), n_features)).astype(np.float32))
