"""Members of a session: whatever takes requests, be it a server of ours or an endpoint of others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from harness.audit import Reference
from harness.bundle import Bundle
from harness.load.runner import Target
from harness.records import TargetInfo
from harness.scenario import Choice
from harness.serve.launcher import Server


class Member(Protocol):
    """Something that is up and takes requests."""

    @property
    def name(self) -> str:
        """Its name in samples and reports."""
        ...

    @property
    def target(self) -> Target:
        """How the load test asks it."""
        ...

    def check(self) -> None:
        """Raises a HarnessError where it has died."""
        ...

    def info(self) -> TargetInfo:
        """What it is, with its own figures since it started."""
        ...

    def reference(self) -> Reference | None:
        """What its answers have to equal; None where that is not known."""
        ...


@dataclass(frozen=True)
class Served:
    """One side of a comparison: a bundle and the engine that serves it."""

    target: str
    bundle: Bundle
    engine: Choice


@dataclass(frozen=True)
class OwnServer:
    """A bundle behind a server of ours, asked over the Open Inference Protocol."""

    side: Served
    server: Server
    encoding: Literal["binary", "json"]

    @property
    def name(self) -> str:
        """Its name in samples and reports."""
        return self.side.target

    @property
    def target(self) -> Target:
        """Its infer URL."""
        adapter = Choice.model_validate({"kind": "oip", "encoding": self.encoding})
        return Target(self.name, self.server.infer_url, adapter)

    def check(self) -> None:
        """ServeError where a worker has died."""
        self.server.check()

    def info(self) -> TargetInfo:
        """Engine, bundle and the server's own figures."""
        stats, manifest = self.server.stats(), self.side.bundle.manifest
        return TargetInfo(
            target=self.name,
            engine=self.side.engine.kind,
            engine_info=self.server.engine_info,
            bundle_digest=manifest.digest,
            size_mb=manifest.size.disk_bytes / 1e6,
            memory_mb=stats.get("rss_mb", float("nan")),
            server=stats,
        )

    def reference(self) -> Reference:
        """The bundle that it serves, to the engine's tolerance."""
        return Reference(self.side.bundle, self.server.engine_info)
