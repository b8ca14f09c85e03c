"""A session: targets that are up, and traffic sent to all of them as often as a command needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.bundle import Bundle
from harness.load.runner import Target, run_load
from harness.placement import Placement
from harness.protocols import Progress
from harness.ranking_data import RankingData
from harness.records import LoadInfo, TargetInfo
from harness.samples import Samples
from harness.scenario import Choice, Scenario, Traffic
from harness.serve.launcher import Server
from harness.watch.monitor import Monitor

TEACHER, COMPRESSED = "teacher", "compressed"


@dataclass(frozen=True)
class Served:
    """One side of a comparison: a bundle and the engine that serves it."""

    target: str
    bundle: Bundle
    engine: Choice


@dataclass(frozen=True)
class Session:
    """Servers that are ready. Whatever is asked of them runs on the same processes, one load test at a time."""

    served: tuple[Served, ...]
    servers: tuple[Server, ...]
    data: RankingData
    placement: Placement
    progress: Progress

    def load(self, traffic: Traffic, out: Path) -> tuple[Samples, LoadInfo]:
        """Send `traffic` to every target in turn; the load process writes into `out`. ServeError where one dies."""
        targets = [
            Target(side.target, server.infer_url) for side, server in zip(self.served, self.servers, strict=True)
        ]
        pids = {side.target: server.pids for side, server in zip(self.served, self.servers, strict=True)}
        monitor = Monitor(pids, self.placement.generator, self.placement.server)

        def watch() -> None:
            monitor.look()
            self._check()

        samples, info = run_load(targets, self.data, traffic, out, self.placement.generator, self.progress, watch=watch)
        return samples, info.model_copy(update={"machine": monitor.log()})

    def infos(self) -> tuple[TargetInfo, ...]:
        """What each target is, with its server's own figures since it started."""
        return tuple(_info(side, server) for side, server in zip(self.served, self.servers, strict=True))

    def _check(self) -> None:
        for server in self.servers:
            server.check()


@contextmanager
def serving(
    served: Sequence[Served],
    scenario: Scenario,
    data: RankingData,
    run_dir: Path,
    placement: Placement,
    cache_dir: Path,
    progress: Progress,
) -> Iterator[Session]:
    """Start a server per side and end them all at the end. Raises ServeError."""
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
        yield Session(tuple(served), tuple(servers), data, placement, progress)


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
