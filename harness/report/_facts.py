"""What a run was made of: environment, data, requests, seeds and digests, stage times, the resolved scenario."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from typing import Any

from harness.records import Measurements, TargetMeasure
from harness.report import _calibration, _machine
from harness.report import _numbers as numbers
from harness.report._table import Table


def tables(run: Measurements, measures: Sequence[TargetMeasure]) -> tuple[Table, ...]:
    """All facts, table by table; those without content are left out."""
    found = (
        _requests(measures),
        _machine.table(measures),
        *((_calibration.table(run.calibration),) if run.calibration else ()),
        _load(run),
        *(_pairs(f"Engine: {info.target}", dict(info.engine_info)) for info in run.targets),
        _pairs("Environment", {**run.environment, "harness": run.tool_version, "created": run.created}),
        _pairs("Data", run.data),
        _pairs("Seeds and digests", dict(_identities(run))),
        Table("Stage times", ("stage", "time"), tuple((k, numbers.figure(v, "s")) for k, v in run.stage_s.items())),
    )
    return tuple(table for table in found if table.rows)


def scenario_yaml(run: Measurements) -> str:
    """The resolved scenario as YAML."""
    from ruamel.yaml import YAML

    out = StringIO()
    yaml = YAML()
    yaml.width = 100
    yaml.default_flow_style = False
    yaml.dump(run.scenario, out)
    return out.getvalue()


def _requests(measures: Sequence[TargetMeasure]) -> Table:
    rows = tuple(
        (
            m.target,
            f"{m.n_planned:,}",
            f"{m.n_ok:,}",
            f"{m.n_failed:,}",
            f"{m.n_unsent:,}",
            numbers.figure(m.window_s, "s"),
            numbers.figure(m.achieved_qps, "/s"),
            numbers.ms(m.round_trip_ms.get("p99", float("nan"))),
            numbers.ms(m.send_lag_ms.get("p99", float("nan"))),
        )
        for m in measures
    )
    heads = ("target", "planned", "answered", "failed", "not sent", "window", "rate", "p99 round trip", "p99 send lag")
    return Table("Requests", heads, rows)


def _load(run: Measurements) -> Table:
    if run.load is None:
        return _pairs("Load test", {})
    facts = run.load.model_dump(exclude={"schedule_sha256", "notes", "complete", "machine", "segment_start_s"})
    shares = {key: numbers.share(value) for key, value in facts.items() if "_share" in key}
    return _pairs("Load test", {**facts, **shares, "notes": list(run.load.notes)})


def _identities(run: Measurements) -> Iterator[tuple[str, str]]:
    for key, value in _flat({"scenario": run.scenario}):
        if key.endswith((".seed", "_seed")):
            yield key, value
    for key, value in _flat({"data": run.data}):
        if "digest" in key or "sha256" in key:
            yield key, value
    if run.load is not None:
        yield "schedule", run.load.schedule_sha256
    for row in run.ledger:
        yield f"bundle after {row.step}", row.digest
    for info in run.targets:
        yield f"bundle served as {info.target}", info.bundle_digest


def _pairs(title: str, facts: Mapping[str, Any]) -> Table:
    rows = tuple((key, value) for key, value in _flat(facts) if value)
    return Table(title, ("what", "value"), rows, n_text=2)


def _flat(facts: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Nested facts as dotted keys and text values."""
    for key, value in facts.items():
        match value:
            case Mapping():
                yield from _flat(value, f"{prefix}{key}.")
            case bool():
                yield f"{prefix}{key}", "yes" if value else "no"
            case float():
                yield f"{prefix}{key}", numbers.figure(value)
            case list() | tuple() if any(isinstance(item, Mapping) for item in value):
                yield from _flat({str(place): item for place, item in enumerate(value)}, f"{prefix}{key}.")
            case list() | tuple():
                yield f"{prefix}{key}", ", ".join(str(item) for item in value)
            case None:
                yield f"{prefix}{key}", ""
            case _:
                yield f"{prefix}{key}", str(value)
