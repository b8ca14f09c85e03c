"""MLflow: a run with its figures as metrics, the resolved scenario as parameters, and the report as artefacts.

Where to is MLflow's own `MLFLOW_TRACKING_URI` (a server, or a folder), as whom its `MLFLOW_TRACKING_USERNAME`,
`_PASSWORD` or `_TOKEN`; `MLFLOW_EXPERIMENT_NAME` names the experiment, else it is `ranking-latency-harness`. Needs the
extra `mlflow`. MLflow's own telemetry is off, unless `MLFLOW_DISABLE_TELEMETRY` says otherwise.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from datetime import datetime

from harness.errors import SinkError
from harness.protocols import Publication
from harness.sinks._figures import figures, settings

_EXPERIMENT = "ranking-latency-harness"
_LONGEST = 500
_METRICS_A_CALL, _PARAMETERS_A_CALL = 1000, 100


def publish(publication: Publication) -> str:
    """Send the run; its identifier and where it lies. SinkError where no tracking server is named."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    uri = os.environ.get("MLFLOW_TRACKING_URI", "")
    if not uri:
        raise SinkError(
            "MLFLOW_TRACKING_URI names no tracking server",
            where="mlflow",
            remedy="export MLFLOW_TRACKING_URI=http://127.0.0.1:5000, or wherever yours is",
        )
    try:
        from mlflow.entities import Metric, Param, RunTag
        from mlflow.tracking import MlflowClient
    except ImportError as error:
        raise SinkError.missing("mlflow", error) from error

    report = publication.report
    client = MlflowClient(tracking_uri=uri)
    name = os.environ.get("MLFLOW_EXPERIMENT_NAME", _EXPERIMENT)
    known = client.get_experiment_by_name(name)
    experiment = known.experiment_id if known is not None else client.create_experiment(name)
    at_ms = int(datetime.fromisoformat(report.measurements.created).timestamp() * 1e3)
    run = client.create_run(experiment, start_time=at_ms, run_name=report.run or report.name)
    identifier = run.info.run_id
    about = settings(report)
    metrics = [Metric(_name(figure.key), figure.value, at_ms, 0) for figure in figures(report)]
    parameters = [Param(_name(key), value[:_LONGEST]) for key, value in about.items()]
    tags = [RunTag("scenario", report.name), RunTag("verdict", report.verdict.status.value)]
    try:
        client.log_batch(identifier, metrics=metrics[:_METRICS_A_CALL], tags=tags)
        for first in range(0, len(parameters), _PARAMETERS_A_CALL):
            client.log_batch(identifier, params=parameters[first : first + _PARAMETERS_A_CALL])
        for file in publication.files:
            client.log_artifact(identifier, str(file))
    except Exception:
        with suppress(Exception):  # what went wrong first is what to say
            client.set_terminated(identifier, "FAILED")
        raise
    client.set_terminated(identifier)
    return f"run {identifier} of experiment {name}"


def _name(key: str) -> str:
    """A key with nothing in it that MLflow refuses in a name."""
    return re.sub(r"[^\w\-. /]", "_", key)[:250]
