"""A session with an endpoint that is not ours: reached, or started by its command, and asked before it is loaded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.access import address_of, is_this_machine
from harness.audit import Reference
from harness.bundle import Bundle, open_bundle
from harness.load.candidates import candidate_rows
from harness.load.runner import Target
from harness.pipeline.session import Session
from harness.placement import Placement
from harness.protocols import Progress, RankingRequest
from harness.ranking_data import RankingData
from harness.records import TARGET, Finding, TargetInfo
from harness.scenario import Choice, ExternalTarget, Scenario, options
from harness.target.client import Client
from harness.target.command import Command
from harness.target.endpoint import settled, when_ready


@dataclass(frozen=True)
class Endpoint:
    """An endpoint that has answered a real request; `adapter` has nothing open, `facts` are what it told of itself.

    `name` is the one in samples and reports.
    """

    name: str
    spec: ExternalTarget
    adapter: Choice
    facts: dict[str, Any]
    bundle: Bundle | None
    command: Command | None

    @property
    def target(self) -> Target:
        """Its URL, adapter and access."""
        return Target(self.name, self.spec.url, self.adapter, self.spec.access)

    @property
    def pids(self) -> tuple[int, ...]:
        """The process of its command, whose descendants count with it, or whoever listens at its port here."""
        return (self.command.pid,) if self.command is not None else listening(self.spec.url)

    def check(self) -> None:
        """TargetError where the command has ended."""
        if self.command is not None:
            self.command.check()

    def info(self) -> TargetInfo:
        """What it told of itself; nothing is known of its process."""
        manifest = self.bundle.manifest if self.bundle else None
        return TargetInfo(
            target=self.name,
            engine=f"{self.adapter.kind} endpoint",
            engine_info={"url": self.spec.url, "adapter": self.adapter.options, **self.facts},
            bundle_digest=manifest.digest if manifest else "",
            size_mb=manifest.size.disk_bytes / 1e6 if manifest else float("nan"),
        )

    def reference(self) -> Reference | None:
        """The bundle that the scenario names, to the usual tolerance."""
        return Reference(self.bundle, {}) if self.bundle else None


@contextmanager
def reaching(
    scenario: Scenario, data: RankingData, run_dir: Path, placement: Placement, progress: Progress
) -> Iterator[Session]:
    """Reach the scenario's target, and end what its command started at the end. Raises TargetError."""
    spec = scenario.target
    assert spec is not None  # noqa: S101  (the pipeline comes here for no other scenario)
    with reached(TARGET, spec, scenario, data, run_dir, placement, progress) as endpoint:
        yield Session((endpoint,), data, placement, progress, scenario.load)


@contextmanager
def reached(
    name: str,
    spec: ExternalTarget,
    scenario: Scenario,
    data: RankingData,
    run_dir: Path,
    placement: Placement,
    progress: Progress,
) -> Iterator[Endpoint]:
    """One endpoint, asked with candidates as the scenario's traffic has them. Raises TargetError."""
    bundle = open_bundle(Path(spec.bundle)) if spec.bundle else None
    client = Client(spec.url, spec.access, scenario.traffic.timeout_s)
    chosen = options("adapters", spec.adapter)
    first = data.features[candidate_rows(data, scenario.traffic)[0]]
    request = RankingRequest("probe", first, data.feature_names)

    def attempt() -> tuple[Choice, dict[str, Any]]:
        return settled(client, spec.adapter, chosen, request)

    with ExitStack() as stack:
        command = None
        if spec.command:
            progress(f"starting the target: {' '.join(spec.command)}")
            command = stack.enter_context(Command(spec.command, run_dir / f"{name}.log", placement.server))
        progress(f"asking {spec.url}")
        adapter, facts = when_ready(attempt, command.check, spec.ready_timeout_s) if command else attempt()
        yield Endpoint(name, spec, adapter, facts, bundle, command)


def listening(url: str) -> tuple[int, ...]:
    """The processes that listen at the port of a URL on this machine; none where it names another, or none is told."""
    import psutil

    address = address_of(url, remote=True)
    if not is_this_machine(address.host):
        return ()
    try:
        found = psutil.net_connections("tcp")
    except (psutil.Error, OSError):
        return ()
    here = [c for c in found if c.status == psutil.CONN_LISTEN and c.laddr and c.laddr[1] == address.port]
    return tuple(sorted({c.pid for c in here if c.pid is not None}))


def findings(target: ExternalTarget) -> Iterator[Finding]:
    """What the reader should know of how the target was reached."""
    if not target.tls_verify:
        yield Finding(
            name="tls-not-verified",
            message=f"any certificate was taken for {target.url}: whoever answered need not be who was asked",
            remedy="set target.tls_ca to the authority's certificate and remove tls_verify: false",
            target=TARGET,
        )
