"""Did every answer belong to its request? What came on connections beyond the answers asked for."""

from __future__ import annotations

from collections.abc import Iterator

from harness.records import TEACHER, Finding, LoadInfo


def connection_findings(load: LoadInfo) -> Iterator[Finding]:
    """Answers that may have been taken for those to other requests: then neither they nor their times mean much."""
    for target, count in load.n_out_of_step.items():
        if count:
            yield Finding(
                name="answers-out-of-step",
                message=f"{target}: connections brought more than the answers asked for, so some answers may have been "
                "counted as those to other requests, with their times",
                remedy="find out what sends an answer twice, the endpoint or a proxy before it, and run again",
                hard=target != TEACHER,
                target=target,
                figure=count,
                threshold=0,
                unit="connections",
            )
