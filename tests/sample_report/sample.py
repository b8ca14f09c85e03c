"""The sample that the tests of the formats share: its scenario, its load test, and the report that it judges to."""

from __future__ import annotations

import math

import numpy as np
from points import point

from harness.judge.capacity import target_capacity
from harness.judge.measures import measure
from harness.judge.verdict import judge
from harness.records import (
    Audit,
    Calibration,
    Finding,
    GroupLosses,
    LedgerRow,
    ListSizeNdcg,
    LoadInfo,
    MachineLog,
    MachineMeasure,
    Measurements,
    ModelSize,
    QualityDrop,
    RateTried,
    Report,
    TargetCapacity,
    TargetInfo,
)
from harness.samples import Samples
from harness.scenario import Scenario

N_REQUESTS = 1500
QPS = 60.0

SCENARIO = {
    "name": "feed-25ms",
    "description": "A recommendation feed: 100 candidates per request, 25 ms at the 99th percentile.",
    "data": {"kind": "synthetic_feed", "seed": 7},
    "ranker": {"kind": "lightgbm", "n_trees": 300, "n_leaves": 64, "seed": 3},
    "compress": [{"kind": "truncate", "keep": 150}, {"kind": "prune_leaves", "max_nodes": 9000}, {"kind": "quantise"}],
    "engine": {"kind": "tl2cgen", "quantize": True},
    "traffic": {"offered_qps": QPS, "n_candidates": 100, "window_s": 25, "seed": 11},
    "sla": {"p50_ms": 8, "p99_ms": 25, "error_rate": 0.01, "ndcg_drop": 0.005, "size_mb": 2},
}


def row(
    step: str, place: int, drop: float, n_trees: int, n_nodes: int, bits: float, us: float, **more: object
) -> LedgerRow:
    """A ledger row; 24 bytes a node on disk."""
    spread = 0.0022 if drop else 0.0
    return LedgerRow(
        step=step,
        digest=f"{place:02x}" * 32,
        quality=lost(drop, spread, margin=0.005),
        size=ModelSize(
            n_trees=n_trees,
            n_nodes=n_nodes,
            n_leaves=(n_nodes + n_trees) // 2,
            disk_bytes=24 * n_nodes,
            packed_bits_per_node=bits,
        ),
        engine_us=us,
        engine_us_p99=1.6 * us,
        memory_bytes=4e7 + 60.0 * n_nodes,
        **more,
    )


def lost(drop: float, spread: float, margin: float = float("nan")) -> QualityDrop:
    """A paired loss with its bounds, and tests to go with them."""
    return QualityDrop(
        ndcg=0.4213 - drop,
        drop=drop,
        drop_lower=drop - spread,
        drop_upper=drop + spread,
        n_groups=1200,
        randomisation_p=min(1.0, 0.0001 + math.exp(-abs(drop) / 0.0009)),
        margin=margin,
        margin_p=math.nan if math.isnan(margin) else 1.0 / (1.0 + math.exp(-(drop - margin) / 0.0008)),
        share_losing=9 * abs(drop),
        worst_tenth=7 * abs(drop),
    )


def spread_of(drop: float) -> GroupLosses:
    """Losses of 1,200 query groups: most keep their NDCG, and long lists lose more than short ones."""
    edges = (8, 20, 40, 70, 100, 150)
    return GroupLosses(
        n_unchanged=800,
        losses=((-0.1, 10), (-0.06, 20), (-0.04, 40), (-0.02, 60), (0.0, 110), (0.02, 80), (0.04, 50), (0.1, 30)),
        list_sizes=tuple(
            ListSizeNdcg(
                smallest=low, largest=high - 1, n_groups=240, teacher_ndcg=0.52 - 0.001 * low,
                ndcg=0.52 - 0.001 * low - share * drop, drop=share * drop, drop_lower=share * drop - 0.004,
                drop_upper=share * drop + 0.004,
            )
            for share, low, high in zip((0.2, 0.6, 1.0, 1.4, 1.8), edges, edges[1:], strict=False)
        ),
    )  # fmt: skip


def ledger() -> tuple[LedgerRow, ...]:
    """A teacher, three steps with two controls, and the last bundle behind another engine."""
    cut = row("truncate", 20, 0.0150, 71, 9000, 51.0, 1480, params={"keep": 71})
    small = row("truncate", 21, 0.0021, 71, 9000, 21.0, 1470, params={"keep": 71})
    better = {"control": cut, "against_control": lost(-0.0131, 0.0024)}
    as_well = {"control": small, "against_control": lost(0.0003, 0.0009)}
    kept = {"params": {"quantize": True}, "engine": "tl2cgen"}
    quantised = row("quantise", 4, 0.0021, 150, 9000, 19.6, 2430, engine="gtil", notes=("16-bit leaves",), **as_well)
    served = row("served by tl2cgen", 4, 0.0021, 150, 9000, 19.6, 655, **kept)
    quality = {"quality": served.quality.model_copy(update={"groups": spread_of(0.0021)})}
    return (
        row("lightgbm", 1, 0.0, 300, 38100, 51.3, 6120, params={"n_trees": 300, "n_leaves": 64}, engine="native"),
        row("truncate", 2, 0.0008, 150, 19050, 51.2, 3100, params={"keep": 150}, engine="native", build_s=1.2),
        row("prune_leaves", 3, 0.0019, 150, 9000, 50.8, 2440, params={"max_nodes": 9000}, engine="gtil", **better),
        quantised.model_copy(update=quality),
        served.model_copy(update=quality),
    )


def queue(rng: np.random.Generator, due_s: np.ndarray, service_s: np.ndarray) -> np.ndarray:
    """When a single server that takes requests in turn has answered each."""
    done = np.empty_like(due_s)
    free = 0.0
    for place, (due, service) in enumerate(zip(due_s, service_s, strict=True)):
        free = max(free, due) + service
        done[place] = free
    return done + rng.gamma(4.0, 0.0001, due_s.size)


def samples() -> Samples:
    """The same Poisson traffic to a slow teacher and a fast compressed ranker; three requests of the teacher fail."""
    rng = np.random.default_rng(5)
    due = np.cumsum(rng.exponential(1 / QPS, N_REQUESTS))
    slow = queue(rng, due, rng.gamma(30.0, 0.0148 / 30.0, N_REQUESTS))
    fast = queue(rng, due, rng.gamma(20.0, 0.0024 / 20.0, N_REQUESTS))
    lag = rng.gamma(2.0, 0.00004, 2 * N_REQUESTS)
    status = np.full(2 * N_REQUESTS, 200, dtype=np.int16)
    status[[400, 800, 1200]] = (503, -1, 0)
    both = np.round(np.concatenate([due, due]), 6)
    done = np.round(np.concatenate([slow, fast]), 6)
    sent = np.round(both + lag, 6)
    done[1200] = sent[1200] = np.nan
    return Samples(
        targets=("teacher", "compressed"),
        target=np.repeat(np.arange(2, dtype=np.int16), N_REQUESTS),
        segment=np.repeat(np.arange(2, dtype=np.int16), N_REQUESTS),
        in_window=np.ones(2 * N_REQUESTS, dtype=bool),
        due_s=both,
        sent_s=sent,
        done_s=done,
        status=status,
        n_candidates=np.full(2 * N_REQUESTS, 100, dtype=np.int32),
        body=np.tile(np.arange(N_REQUESTS, dtype=np.int32) % 256, 2),
    )


def served(target: str, engine: str, row: LedgerRow, us: float, memory_mb: float) -> TargetInfo:
    """One side of the load test."""
    return TargetInfo(
        target=target,
        engine=engine,
        engine_info={"threads": 1, "load_s": 0.21, "compiler": "gcc 12.2.0" if engine == "tl2cgen" else None},
        bundle_digest=row.digest,
        size_mb=row.size.disk_bytes / 1e6,
        memory_mb=memory_mb,
        server={"engine_us_p50": us, "engine_us_p99": 1.5 * us, "service_us_p50": us + 210, "service_us_p99": 2 * us},
    )


def searched(target: str, service_rate: float) -> TargetCapacity:
    """A capacity search of one side, an M/M/1 queue; its last rate can't be trusted."""
    shares = {0.1: "PASS", 0.2: "PASS", 0.35: "PASS", 0.6: "FAIL", 0.8: "FAIL", 1.6: "INVALID"}
    looks = [point(share * service_rate, status, False, target, service_rate) for share, status in shares.items()]
    return target_capacity(target, looks)


def machine_log() -> MachineLog:
    """A quiet machine for 52 s, on which another process ran for one second of the teacher's window."""
    n = 52
    quiet, at_s = (0.0,) * n, np.arange(1.0, n + 1.0)
    foreign = np.full(n, 0.004)
    foreign[9] = 0.31
    teacher = np.where(at_s <= 26, 0.88, 0.0)
    return MachineLog(
        started="2025-01-31T12:00:30.000+00:00",
        generator_cpus=(0,),
        server_cpus=(1,),
        end_s=tuple(at_s + 5000),
        duration_s=(1.0,) * n,
        steal_share=tuple(np.where(at_s % 8 == 0, 0.005, 0.0)),
        foreign_share=tuple(foreign),
        throttled_share=quiet,
        pressure_share={"cpu": tuple(0.02 + foreign / 2), "memory": quiet, "io": quiet},
        generator_cpu_share=(tuple(0.05 + 0.01 * (at_s % 3)),),
        server_cpu_s={"teacher": tuple(teacher), "compressed": tuple(np.where(at_s > 26, 0.145, 0.0))},
    )


def calibration() -> Calibration:
    """The noise floor of the sample's machine, two days before."""
    due = np.arange(2000) / 200
    n = due.size
    sent = due + np.random.default_rng(6).gamma(2.0, 0.00003, n)
    zeros = np.zeros(n, dtype=np.int32)
    null = Samples(
        ("null",), zeros.astype(np.int16), zeros.astype(np.int16), np.ones(n, dtype=bool), due, sent, sent + 0.00022,
        np.full(n, 200, dtype=np.int16), zeros + 100, zeros,
    )  # fmt: skip
    seen = measure(TargetInfo(target="null", engine="null"), null, Scenario.model_validate(SCENARIO).sla)
    return Calibration(
        created="2025-01-29T12:00:00+00:00",
        tool_version="0.1.0",
        machine={"cpu": "Example CPU @ 2.40GHz", "cores": 2, "kernel": "Linux 6.1.0"},
        traffic={"arrival": "constant", "offered_qps": 200.0, "n_candidates": 100},
        request_bytes=54536,
        measure=seen.model_copy(update={"machine": MachineMeasure(generator_cpu_share_max=0.11)}),
        send_lag_limit_ms=0.5,
        honest_qps=1600.0,
        rates=(
            RateTried(offered_qps=1600.0, send_lag_ms_p99=0.31, generator_cpu_share_max=0.66, n_lost=0, honest=True),
        ),
    )


def audits() -> tuple[Audit, ...]:
    """What the answers of both sides said; all were right."""
    kept = {"n_distinct": 256, "ndcg_served": 0.4198, "ndcg_offline": 0.4198}
    return (
        Audit(target="teacher", n_answers=1497, n_checked=1497, compared_with="01" * 32, tolerance=1e-5,
              largest_difference=0.0, **kept),
        Audit(target="compressed", n_answers=1500, n_checked=1500, compared_with="04" * 32, tolerance=8e-6,
              largest_difference=2.4e-7, **kept),
    )  # fmt: skip


def report(samples: Samples) -> Report:
    """The judged sample."""
    scenario = Scenario.model_validate(SCENARIO)
    rows = ledger()
    measurements = Measurements(
        tool_version="0.1.0",
        created="2025-01-31T12:00:00+00:00",
        command="harness run scenarios/feed-25ms.yaml",
        scenario=scenario.model_dump(mode="json", exclude_none=True),
        environment={
            "cpu": "Example CPU @ 2.40GHz",
            "isa": {"machine": "x86_64", "vector": ["avx2", "fma"]},
            "cores": 2,
            "kernel": "Linux 6.1.0",
            "affinity": [0, 1],
            "governor": "",
            "virtual_machine": True,
            "load_average_1m": 0.31,
            "clock_drift_ppm": float("nan"),
            "compiler": "gcc 12.2.0",
            "versions": {"lightgbm": "4.6.0", "treelite": "4.4.1"},
        },
        data={
            "splits": {"train": {"rows": 120000, "groups": 1200}, "test": {"rows": 120000, "groups": 1200}},
            "n_features": 136,
            "digest": "da" * 32,
        },
        ledger=rows,
        targets=(
            served("teacher", "native", rows[0], 14500, 310),
            served("compressed", "tl2cgen", rows[-1], 1560, 190),
        ),
        load=LoadInfo(
            schedule_sha256="5c" * 32,
            arrival="poisson",
            offered_qps=QPS,
            n_planned=N_REQUESTS,
            generator_cpu_share=0.12,
            generator_cpu_share_max=0.31,
            timer="libev",
            locust_version="2.37.0",
            segment_start_s=(5000.5, 5026.5),
            machine=machine_log(),
        ),
        calibration=calibration(),
        audits=audits(),
        findings=(
            Finding(
                name="shared-core",
                message="server and load generator share 2 cores with the rest of the machine",
                remedy="run on a machine with at least 4 cores",
            ),
        ),
        stage_s={"data": 1.1, "build": 23.4, "engines": 4.2, "load": 61.0},
        complete=True,
    )
    return judge(scenario, measurements, samples).model_copy(update={"run": "feed-25ms-20250131T120000-0a1b2c3d"})
