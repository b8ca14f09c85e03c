"""A session: targets that are up, and traffic sent to all of them as often as a command needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.answers import Answers
from harness.audit import audit
from harness.load.candidates import candidate_rows
from harness.load.load_plan import ANSWERS
from harness.load.runner import run_load
from harness.pipeline.members import Member, OwnServer, Served
from harness.placement import Placement
from harness.protocols import Progress
from harness.ranking_data import RankingData
from harness.records import COMPRESSED, Audit, LoadInfo, NdcgSpec, TargetInfo
from harness.samples import Samples
from harness.scenario import Scenario, Traffic
from harness.serve.launcher import Server


@dataclass(frozen=True)
class Session:
    """Members that are ready. Whatever is asked of them runs on the same processes, one load test at a time."""

    members: tuple[Member, ...]
    data: RankingData
    placement: Placement
    progress: Progress

    def load(self, traffic: Traffic, out: Path) -> tuple[Samples, LoadInfo]:
        """Send `traffic` to every member in turn; the load process writes into `out`. HarnessError where one dies."""
        targets = [member.target for member in self.members]
        return run_load(targets, self.data, traffic, out, self.placement.generator, self.progress, watch=self._check)

    def infos(self) -> tuple[TargetInfo, ...]:
        """What each member is, with its own figures since it started."""
        return tuple(member.info() for member in self.members)

    def audits(self, samples: Samples, traffic: Traffic, out: Path, ndcg: NdcgSpec) -> tuple[Audit, ...]:
        """What the answers to a load test say that wrote into `out`, member by member."""
        answers, rows = Answers.load(out / ANSWERS), candidate_rows(self.data, traffic)
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
        yield Session(tuple(members), data, placement, progress)
