"""The other ways a run can end, each as a report made of the sample."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from sample import N_REQUESTS, QPS, SCENARIO, row, searched

from harness.judge.verdict import judge
from harness.records import (
    Audit,
    Finding,
    Measurements,
    Report,
    TargetInfo,
)
from harness.samples import Samples
from harness.scenario import Scenario


def of_target(samples: Samples) -> Samples:
    """The fast side, as if a target had answered."""
    rows = samples.where(samples.target == 1)
    return replace(rows, targets=("target",), target=np.zeros_like(rows.target))


def variants(base: Report, samples: Samples) -> dict[str, Report]:
    """The other ways a run can end."""
    run = base.measurements
    hostile = "<script>alert(1)</script> | `x` \x1b[31m\n# \u202e*no*"

    def again(known: Measurements, taken: Samples = samples, **sla: float) -> Report:
        scenario = Scenario.model_validate(SCENARIO | {"sla": sla or SCENARIO["sla"]})
        asked = known.scenario | {"sla": scenario.sla.model_dump(mode="json", exclude_none=True)}
        judged = judge(scenario, known.model_copy(update={"scenario": asked}), taken)
        return judged.model_copy(update={"run": base.run})

    busy = Finding(name="generator-busy", message="95% of its core", remedy="lower traffic.offered_qps", hard=True)
    alone = run.model_copy(update={"targets": run.targets[1:]})
    unanswered = samples.where(np.ones(len(samples), dtype=bool))
    unanswered.status[N_REQUESTS::4] = 503
    untimed = tuple(
        row.model_copy(update={"engine": "", "engine_us": np.nan, "engine_us_p99": np.nan}) for row in run.ledger[:3]
    )
    stopped = {
        "complete": False,
        "failure": "server exited with status -9",
        "load": None,
        "targets": (),
        "ledger": untimed,
    }
    same = run.ledger[0].model_copy(update={"step": "served by tl2cgen", "engine": "tl2cgen", "engine_us": 700.0})
    bad_row = run.ledger[1].model_copy(update={"step": hostile, "notes": (hostile,), "params": {hostile: hostile}})
    bad = Finding(name=hostile, message=hostile, remedy=hostile)
    bad_run = run.model_copy(
        update={
            "scenario": {"description": hostile, hostile: [hostile]},
            "environment": {hostile: hostile, "odd": [float("nan"), {"deep": float("inf")}]},
            "ledger": (run.ledger[0], bad_row),
            "command": hostile,
            "failure": hostile,
            "complete": False,
        }
    )
    wrong = run.audits[1].model_copy(
        update={"n_different": 15, "largest_difference": 0.31, "example": "request body 3: off by 0.31 of the largest"}
    )
    asked = {"url": "http://127.0.0.1:8080/v2/models/m/infer", "adapter": {"kind": "oip"}}
    endpoint = Scenario.model_validate(
        {"name": "endpoint", "target": asked, "traffic": {"n_features": 136, "offered_qps": QPS}, "sla": {"p99_ms": 25}}
    )
    external = run.model_copy(
        update={
            "scenario": endpoint.model_dump(mode="json", exclude_none=True),
            "ledger": (),
            "targets": (TargetInfo(target="target", engine="oip endpoint", engine_info=asked),),
            "audits": (Audit(target="target", n_answers=1500, n_checked=1500, n_distinct=256),),
        }
    )
    cut = run.ledger[2].control.model_copy(update={"params": {"max_nodes": 9000}})
    tiny = row("prune_leaves", 30, 0.0112, 90, 2600, 50.9, 1130, params={"max_nodes": 2600}, engine="gtil")
    missed = tiny.model_copy(update={"gate_missed": "nothing smaller than its input stays within max_drop 0.001"})
    return {
        "truncated": again(run.model_copy(update={"ledger": (run.ledger[0], cut)})).model_copy(
            update={"name": "feed-truncated"}
        ),
        "tiny": again(run.model_copy(update={"ledger": (run.ledger[0], tiny)})).model_copy(
            update={"name": "feed-tiny"}
        ),
        "gate-missed": again(run.model_copy(update={"ledger": (run.ledger[0], missed)}), p99_ms=25),
        "wrong-answers": again(run.model_copy(update={"audits": (run.audits[0], wrong)})),
        "target": judge(endpoint, external, of_target(samples)).model_copy(update={"run": "endpoint-x"}),
        "fail": again(run, p99_ms=5, error_rate=0),
        "inconclusive": again(run, p99_ms=6.3),
        "invalid": again(run.model_copy(update={"findings": (*run.findings, busy)})),
        "unanswered": again(run, unanswered, p99_ms=25, error_rate=0.01),
        "no-teacher": again(alone, samples.where(samples.target == 1)),
        "uncompressed": again(run.model_copy(update={"ledger": (run.ledger[0], same)}), p99_ms=25).model_copy(
            update={"capacities": (searched("teacher", 180.0), searched("compressed", 450.0))}
        ),
        "incomplete": judge(Scenario.model_validate(SCENARIO), run.model_copy(update=stopped), None),
        "hostile": base.model_copy(
            update={
                "name": hostile,
                "run": hostile,
                "measurements": bad_run,
                "verdict": base.verdict.model_copy(update={"findings": (bad,)}),
            }
        ),
    }
