"""A session: targets that are up, and traffic sent to all of them as often as a command needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from harness.bundle import Bundle
from harness.load.runner import Target
from harness.pipeline.watched import run_watched
from harness.placement import Placement
from harness.protocols import Progress
from harness.ranking_data import RankingData
from harness.records import LoadInfo, TargetInfo
from harness.samples import Samples
from harness.scenario import Choice, Load, Scenario, Traffic
from harness.serve.launcher import Server

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
    generator: Load

    def load(
        self, traffic: Traffic, out: Path, first_round: int = 0, elsewhere: Sequence[Target] = ()
    ) -> tuple[Samples, LoadInfo]:
        """Send rounds of `traffic` to every target in turn, those `elsewhere` last; load processes write into `out`.

        A later call continues the traffic of the ones before if its `first_round` is the number of their rounds.
        ServeError where a server of this session dies.
        """
        targets = [
            Target(side.target, server.infer_url) for side, server in zip(self.served, self.servers, strict=True)
        ]
        targets += elsewhere
        pids = {side.target: server.pids for side, server in zip(self.served, self.servers, strict=True)}
        return run_watched(
            targets,
            pids,
            self.data,
            traffic,
            out,
            self.placement,
            self.progress,
            self._check,
            self.generator,
            first_round,
        )

    def only(self, target: str) -> Session:
        """The same session with one of its targets."""
        place = [side.target for side in self.served].index(target)
        return replace(self, served=(self.served[place],), servers=(self.servers[place],))

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
        yield Session(tuple(served), tuple(servers), data, placement, progress, scenario.load)


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
