"""Serve and load: the teacher and the compressed ranker behind HTTP, the same traffic sent to each in turn."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from harness.bundle import Bundle
from harness.load.runner import Target, run_load
from harness.placement import Placement
from harness.protocols import Progress
from harness.ranking_data import RankingData
from harness.records import LoadInfo, TargetInfo
from harness.samples import Samples
from harness.scenario import Choice, Scenario
from harness.scoring import reference_engine
from harness.serve.launcher import Server

TEACHER, COMPRESSED = "teacher", "compressed"


@dataclass(frozen=True)
class Served:
    """One side of the comparison: a bundle and the engine that serves it."""

    target: str
    bundle: Bundle
    engine: Choice


def sides(scenario: Scenario, teacher: Bundle, compressed: Bundle) -> list[Served]:
    """What is load-tested: the compressed ranker, and beside it the teacher unless that would be the same thing."""
    subject = Served(COMPRESSED, compressed, scenario.engine)
    baseline = Served(TEACHER, teacher, Choice(kind=reference_engine(teacher.manifest)))
    same = baseline.bundle.manifest.digest == compressed.manifest.digest and baseline.engine == subject.engine
    return [subject] if same or not scenario.traffic.teacher else [baseline, subject]


def load_test(
    served: Sequence[Served],
    scenario: Scenario,
    data: RankingData,
    run_dir: Path,
    placement: Placement,
    cache_dir: Path,
    progress: Progress,
) -> tuple[Samples, LoadInfo, tuple[TargetInfo, ...]]:
    """Start a server per side, send each the scenario's traffic, and read the servers' own figures at the end.

    Raises ServeError or LoadError; samples taken until then stay in the run directory.
    """
    with ExitStack() as stack:
        servers: list[Server] = []
        for side in served:
            progress(f"starting the server of {side.target} ({side.engine.kind})")
            server = Server(
                bundle=side.bundle.path,
                engine=side.engine,
                serve=scenario.serve if side.target == COMPRESSED else scenario.serve.model_copy(update={"port": 0}),
                cpus=placement.server,
                run_dir=run_dir,
                cache_dir=cache_dir,
                name=side.target,
            )
            servers.append(stack.enter_context(server))

        def watch() -> None:
            for server in servers:
                server.check()

        targets = [Target(side.target, server.infer_url) for side, server in zip(served, servers, strict=True)]
        samples, info = run_load(
            targets, data, scenario.traffic, run_dir / "load", placement.generator, progress, watch=watch
        )
        infos = tuple(_info(side, server) for side, server in zip(served, servers, strict=True))
    return samples, info, infos


def _info(side: Served, server: Server) -> TargetInfo:
    stats = server.stats()
    return TargetInfo(
        target=side.target,
        engine=side.engine.kind,
        engine_info=server.engine_info,
        bundle_digest=side.bundle.manifest.digest,
        size_mb=side.bundle.manifest.size.disk_bytes / 1e6,
        memory_mb=stats.get("rss_mb", float("nan")),
        server=stats,
    )
