"""The noise floor: a scenario's own traffic, sent to a server that does nothing."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from harness import __version__
from harness.cache import Cache
from harness.environment import identity
from harness.judge.generator import CPU_SHARE, SEND_LAG_SHARE, tightest_ms
from harness.judge.machine import machine_findings
from harness.judge.measures import measure
from harness.load.candidates import candidate_lists
from harness.load.runner import Target, run_load
from harness.oip import encode_request
from harness.pipeline.calibrations import keep
from harness.pipeline.data import load_data
from harness.placement import Placement, place
from harness.protocols import Progress
from harness.ranking_data import RankingData
from harness.records import Calibration, RateTried, TargetInfo, TargetMeasure
from harness.scenario import Scenario, Sla, Traffic
from harness.serve.null_server import MODEL, NullServer, null_server
from harness.watch.monitor import Monitor

PLAIN = Traffic(offered_qps=200, n_candidates=100)
"""Traffic where no scenario is named: with `plain_data`, 54 kB a request."""

_LAG_MS = 0.5
_N_FEATURES = 136
_STEP = {"warm_up_s": 0.5, "window_s": 2.0}
_MOST_STEPS = 12
_CLOSE_ENOUGH = 1.1
_MOST_QPS = 50_000.0


def calibrate(scenario: Scenario | None, window_s: float, cache: Cache, progress: Progress) -> tuple[Calibration, Path]:
    """Measure the noise floor for `window_s`, then search the highest honest rate; keep both in the cache."""
    traffic = (scenario.traffic if scenario else PLAIN).model_copy(update={"rounds": 1, "window_s": window_s})
    sla = scenario.sla if scenario else Sla(p99_ms=_LAG_MS / SEND_LAG_SHARE)
    data = load_data(scenario.data, cache).test if scenario else plain_data()
    placement, findings = place(scenario.serve.workers if scenario else 1)
    limit_ms = SEND_LAG_SHARE * tightest_ms(sla)
    limit_ms = limit_ms if math.isfinite(limit_ms) else _LAG_MS
    with null_server(placement.server) as server, tempfile.TemporaryDirectory(prefix="harness-calibrate-") as folder:
        bench = _Bench(server, data, sla, placement, Path(folder), progress)
        floor = bench.measure(traffic)
        stepping = traffic.model_copy(update=_STEP | ({"arrival": "poisson"} if traffic.arrival == "closed" else {}))

        def attempt(offered_qps: float) -> RateTried:
            progress(f"is the generator honest at {offered_qps:.0f} requests per second?")
            return tried(bench.measure(stepping.model_copy(update={"offered_qps": offered_qps})), offered_qps, limit_ms)

        rates = search(traffic.offered_qps, attempt)
    calibration = Calibration(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        tool_version=__version__,
        scenario=scenario.name if scenario else "",
        machine=identity(),
        traffic=traffic.model_dump(mode="json"),
        request_bytes=_request_bytes(data, traffic),
        measure=floor,
        send_lag_limit_ms=limit_ms,
        honest_qps=max((rate.offered_qps for rate in rates if rate.honest), default=math.nan),
        rates=rates,
        findings=(*findings, *machine_findings(floor, hard=False)),
    )
    return calibration, keep(calibration, cache.root)


@dataclass(frozen=True)
class _Bench:
    """A null server and all that is the same in every load test of it."""

    server: NullServer
    data: RankingData
    sla: Sla
    placement: Placement
    folder: Path
    progress: Progress

    def measure(self, traffic: Traffic) -> TargetMeasure:
        cpus = self.placement.generator
        monitor = Monitor({MODEL: (self.server.pid,)}, cpus, self.placement.server)
        targets = [Target(MODEL, self.server.url)]
        samples, info = run_load(targets, self.data, traffic, self.folder, cpus, self.progress, watch=monitor.look)
        watched = info.model_copy(update={"machine": monitor.log()})
        return measure(TargetInfo(target=MODEL, engine=MODEL), samples, self.sla, watched)


def tried(seen: TargetMeasure, offered_qps: float, limit_ms: float) -> RateTried:
    """Whether the generator was honest at a rate: on time, with a core to spare, and no request lost."""
    lag_ms, share = seen.send_lag_ms["p99"], seen.machine.generator_cpu_share_max
    n_lost = seen.n_failed + seen.n_unsent
    return RateTried(
        offered_qps=offered_qps,
        send_lag_ms_p99=lag_ms,
        generator_cpu_share_max=share,
        n_lost=n_lost,
        honest=lag_ms <= limit_ms and not share > CPU_SHARE and not n_lost,
    )


def search(start_qps: float, attempt: Callable[[float], RateTried]) -> tuple[RateTried, ...]:
    """Double (or halve) the rate until one is honest and one is not, then bisect until they are within a tenth."""
    done: list[RateTried] = []
    honest_qps, dishonest_qps, rate_qps = 0.0, math.inf, start_qps
    while len(done) < _MOST_STEPS and dishonest_qps > _CLOSE_ENOUGH * honest_qps and rate_qps <= _MOST_QPS:
        done.append(attempt(rate_qps))
        if done[-1].honest:
            honest_qps = rate_qps
        else:
            dishonest_qps = rate_qps
        if math.isinf(dishonest_qps):
            rate_qps = 2 * honest_qps
        elif not honest_qps:
            rate_qps = dishonest_qps / 2
        else:
            rate_qps = math.sqrt(honest_qps * dishonest_qps)
    return tuple(done)


def plain_data() -> RankingData:
    """Random candidates of the size that ranking models often have: 136 features, 100 to a query group."""
    rng = np.random.default_rng(0)
    n_groups, n = 100, 100
    x = rng.normal(size=(n_groups * n, _N_FEATURES)).astype(np.float32)
    grades = rng.integers(0, 5, n_groups * n).astype(np.int32)
    sizes = np.full(n_groups, n, dtype=np.int64)
    return RankingData("plain", x, grades, sizes, tuple(f"f{i}" for i in range(_N_FEATURES))).checked()


def _request_bytes(data: RankingData, traffic: Traffic) -> int:
    """Size of the body of a typical request."""
    n = int(np.median([x.shape[0] for x in candidate_lists(data, traffic)]))
    return len(encode_request(np.resize(data.features, (n, data.features.shape[1])), traffic.encoding)[0])
