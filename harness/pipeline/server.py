"""Serve a bundle, or the bundle that a scenario builds, until interrupted."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from harness.bundle import Bundle
from harness.cache import Cache
from harness.errors import UsageError
from harness.pipeline.auto_engine import choose
from harness.pipeline.named_bundle import bundle_in
from harness.pipeline.prepare import built
from harness.placement import available_cpus
from harness.protocols import Progress
from harness.ranking_data import RankingData
from harness.scenario import CandidateCount, Choice, Serve, load_one
from harness.scoring import reference_engine
from harness.serve.launcher import Server

_Asked = tuple[Bundle, Choice, RankingData | None, CandidateCount]
"""What to serve with which engine, and the candidates that it will get, as far as they are known."""


def serve_forever(what: Path, engine: str, port: int, workers: int, cache: Cache, progress: Progress) -> None:
    """Start the server, say where it listens, and watch it; returns only by an exception (ServeError, interrupt)."""
    bundle, chosen, data, n_candidates = _from_scenario(what, cache, progress) if what.is_file() else _from_bundle(what)
    chosen = Choice(kind=engine) if engine else chosen
    serve = Serve(port=port, workers=workers)
    cpus, compiled = available_cpus()[-workers:], cache.root / "compiled"
    chosen, why = choose(chosen, bundle, data, n_candidates, compiled, cpus[-1:], progress)
    if why is not None:
        progress(why.message)
    with tempfile.TemporaryDirectory(prefix="harness-serve-") as logs:
        server = Server(
            bundle=bundle.path,
            engine=chosen,
            serve=serve,
            cpus=cpus,
            run_dir=Path(logs),
            cache_dir=compiled,
            name="model",
        )
        with server:
            progress(f"serving {bundle.manifest.format} with {chosen.kind} at {server.infer_url} (Ctrl-C ends it)")
            while True:
                server.check()
                time.sleep(0.5)


def _from_bundle(path: Path) -> _Asked:
    bundle = bundle_in(path)
    return bundle, Choice(kind=reference_engine(bundle.manifest)), None, None


def _from_scenario(path: Path, cache: Cache, progress: Progress) -> _Asked:
    scenario = load_one(path)
    if scenario.target is not None:
        raise UsageError("its target is served by others", where=str(path), remedy="serve takes a bundle or a ranker")
    splits, steps = built(scenario, cache, progress)
    return steps[-1].bundle, scenario.engine, splits.test, scenario.traffic.n_candidates
