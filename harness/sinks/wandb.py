"""Weights & Biases: a run with its figures as summary, the scenario as configuration, the report as an artefact.

Where to and as whom are its own variables: `WANDB_API_KEY`, `WANDB_BASE_URL`, `WANDB_ENTITY`, `WANDB_PROJECT` (else
`ranking-latency-harness`). With `WANDB_MODE=offline` nothing is sent: the run is kept in its run directory for `wandb
sync`. Needs the extra `wandb`. The source code, the repository and the machine's own figures are not sent.
"""

from __future__ import annotations

import os

from harness.errors import SinkError
from harness.protocols import Publication
from harness.sinks._figures import figures, settings

_PROJECT = "ranking-latency-harness"


def publish(publication: Publication) -> str:
    """Send the run; its address, or the folder of an offline one."""
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
    try:
        import wandb
    except ImportError as error:
        raise SinkError.missing("wandb", error) from error

    report = publication.report
    offline = os.environ.get("WANDB_MODE") == "offline"
    if not (offline or os.environ.get("WANDB_API_KEY")):
        raise SinkError(
            "WANDB_API_KEY is not set",
            where="wandb",
            remedy="export it, or WANDB_MODE=offline to keep the run for `wandb sync`",
        )
    quiet = wandb.Settings(
        silent=True, console="off", disable_git=True, disable_code=True, save_code=False, disable_job_creation=True,
        x_disable_stats=True, x_disable_meta=True, x_disable_machine_info=True, x_save_requirements=False,
        init_timeout=30,
    )  # fmt: skip
    run = wandb.init(
        project=os.environ.get("WANDB_PROJECT", _PROJECT),
        name=report.run or report.name,
        config=settings(report),
        dir=os.environ.get("WANDB_DIR") or str(publication.folder),
        tags=[report.name, report.verdict.status.value],
        reinit="create_new",
        settings=quiet,
    )
    try:
        run.summary.update({figure.key: figure.value for figure in figures(report)})
        kept = wandb.Artifact(f"report-{run.id}", type="report")
        for file in publication.files:
            kept.add_file(str(file))
        run.log_artifact(kept)
    finally:
        run.finish()
    return f"{run.dir.rpartition('/files')[0]}, to be sent by `wandb sync`" if offline else str(run.url)
