"""A session: targets that are up, and traffic sent to all of them as often as a command needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from harness.answers import Answers
from harness.audit import audit
from harness.load.candidates import candidate_rows
from harness.load.runner import run_load
from harness.pipeline.members import Member, OwnServer, Served
from harness.placement import Placement
from harness.protocols import Progress
from harness.ranking_data import RankingData
from harness.records import COMPRESSED, Audit, LoadInfo, NdcgSpec, TargetInfo
from harness.samples import Samples
from harness.scenario import Load, Scenario, Traffic
from harness.serve.launcher import Server
from harness.watch.monitor import Monitor

MACHINE = "machine.jsonl"
"""The machine second by second, written as it is watched; what a load test that dies leaves of it."""


@dataclass(frozen=True)
class Session:
    """Members that are ready. Whatever is asked of them runs on the same processes, one load test at a time."""

    members: tuple[Member, ...]
    data: RankingData
    placement: Placement
    progress: Progress
    generator: Load

    def load(self, traffic: Traffic, out: Path, first_round: int = 0) -> tuple[Samples, LoadInfo]:
        """Send rounds of `traffic` to every member in turn; load processes write into `out`.

        HarnessError where one dies. A later call continues the traffic of the ones before if its `first_round` is the
        number of their rounds.
        """
        pids = {member.name: member.pids for member in self.members}
        served = self.placement.server if all(pids.values()) else ()  # unknown processes there are not strangers
        monitor = Monitor(pids, self.placement.generator, served, out / MACHINE)

        def watch() -> None:
            monitor.look()
            self._check()

        samples, info = run_load(
            [member.target for member in self.members],
            self.data,
            traffic,
            out,
            self.placement.generator,
            self.progress,
            watch=watch,
            load=self.generator,
            first_round=first_round,
        )
        return samples, info.model_copy(update={"machine": monitor.log()})

    def only(self, name: str) -> Session:
        """The same session with one of its members."""
        return replace(self, members=tuple(member for member in self.members if member.name == name))

    def beside(self, others: Sequence[Member]) -> Session:
        """The same session with more members, asked after its own."""
        return replace(self, members=(*self.members, *others))

    def infos(self) -> tuple[TargetInfo, ...]:
        """What each member is, with its own figures since it started."""
        return tuple(member.info() for member in self.members)

    def audits(self, samples: Samples, answers: Answers, traffic: Traffic, ndcg: NdcgSpec) -> tuple[Audit, ...]:
        """What the answers to a load test say, member by member."""
        rows = candidate_rows(self.data, traffic)
        return tuple(
            audit(
                target=member.name,
                adapter=member.target.adapter,
                answers=answers,
                samples=samples,
                data=self.data,
                rows=rows,
                reference=member.reference(),
                ndcg=ndcg,
                seed=traffic.seed,
            )
            for member in self.members
        )

    def _check(self) -> None:
        for member in self.members:
            member.check()


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
        members: list[Member] = []
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
            members.append(OwnServer(side, stack.enter_context(server), scenario.traffic.encoding))
        yield Session(tuple(members), data, placement, progress, scenario.load)
