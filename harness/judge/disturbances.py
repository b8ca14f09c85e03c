"""What a quieter moment of the same machine may not show again."""

from __future__ import annotations

from harness.records import Verdict, VerdictStatus

DISTURBANCES = frozenset(
    {
        "arrivals-off-plan", "foreign-cpu", "generator-busy", "latency-drift", "loop-lag", "pressure", "send-lag",
        "steal", "throttled",
    }
)  # fmt: skip
"""Names of findings of what happened beside the ranker while it was measured."""


def disturbed_by(verdict: Verdict) -> tuple[str, ...]:
    """Names of what made a run INVALID, in their order, where measuring again may do; else empty."""
    names = tuple(dict.fromkeys(finding.name for finding in verdict.findings if finding.hard))
    return names if verdict.status is VerdictStatus.INVALID and DISTURBANCES.issuperset(names) else ()
