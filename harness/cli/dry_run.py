"""`harness run --dry-run`: what would run, what of it is in the cache, and how long it would take."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from harness.events import Plan, PlannedStage, SuiteStarted, duration


def shown(plans: Sequence[Plan], finished: Sequence[str], *, as_json: bool) -> str:
    """The plans, and the names of scenarios that are finished already, for people or as JSON."""
    if as_json:
        whole = {
            "expected_s": round(sum(plan.expected_s for plan in plans), 3),
            "scenarios": [{**asdict(plan), "expected_s": plan.expected_s, "unknown": plan.unknown} for plan in plans],
            "finished": list(finished),
        }
        return json.dumps(whole, indent=1)
    lines = [line for plan in plans for line in _scenario(plan)]
    lines += [f"{name}: finished before, would not run again" for name in finished]
    if len(plans) + len(finished) > 1:
        lines.append(f"in all: {SuiteStarted(tuple(plans), tuple(finished))}")
    return "\n".join(lines)


def _scenario(plan: Plan) -> list[str]:
    width = max(len(stage.stage) for stage in plan.stages)
    return [
        plan.name,
        *(f"  {stage.stage:{width}}  {_time(stage):>9}  {_remark(stage)}".rstrip() for stage in plan.stages),
        f"  {plan}",
        "",
    ]


def _time(stage: PlannedStage) -> str:
    return "not known" if stage.expected_s is None else duration(stage.expected_s)


def _remark(stage: PlannedStage) -> str:
    return "in the cache" if stage.cached else stage.note
