"""Write a plan directory that Locust runs without this harness around it, on any number of machines."""

from __future__ import annotations

import shutil
from importlib import metadata
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from harness.access import address_of
from harness.errors import LoadError, UsageError
from harness.load.distributed import EXPORTED_LOCUSTFILE
from harness.load.load_plan import LoadPlan, Target
from harness.load.process import LOCUSTFILE
from harness.load.runner import own_locustfile, write_plan
from harness.ranking_data import RankingData
from harness.scenario.schema import Scenario

MEASURED = "measured"
"""Folder for results inside the plan directory."""
REQUIREMENTS = ("hdrhistogram", "numpy", "orjson", "psutil", "pydantic", "ruamel.yaml")
"""Distributions that load processes need beside Locust itself: no model library."""
_TEMPLATES = {"README.md.j2": "README.md", "Dockerfile.j2": "Dockerfile", "locusttest.yaml.j2": "locusttest.yaml"}


def export(scenario: Scenario, data: RankingData, target: Target, folder: Path, n_workers: int) -> None:
    """Write the plan of the scenario's traffic against `target`, its bodies, a locustfile, and how to start them.

    Nothing written here is secret: what holds credentials is named, to be set where load processes run. UsageError
    where the folder holds something already, TargetError where the URL may not be asked.
    """
    if folder.is_dir() and any(folder.iterdir()):
        raise UsageError("holds something already", where=str(folder), remedy="name a new folder")
    address_of(target.url, remote=target.access.remote)
    traffic = scenario.traffic
    plan = LoadPlan(targets=(target,), traffic=traffic, n_bodies=traffic.n_bodies, out=Path(MEASURED))
    locustfile = own_locustfile(scenario.load) or LOCUSTFILE
    write_plan(plan, data, folder)
    plan.schedules(folder, n_workers)
    facts = {
        "name": scenario.name,
        "resource": scenario.name.lower().replace("_", "-").replace(".", "-").strip("-"),
        "url": target.url,
        "n_workers": n_workers,
        "qps": f"{traffic.offered_qps:g}",
        "measured": MEASURED,
        "locustfile": EXPORTED_LOCUSTFILE,
        "locust": metadata.version("locust"),
        "variables": target.access.variables,
        "requirements": [f"{name}=={metadata.version(name)}" for name in REQUIREMENTS],
    }
    templates = Environment(  # noqa: S701 - none of these is HTML
        loader=PackageLoader("harness.load", "exported"), undefined=StrictUndefined, keep_trailing_newline=True
    )
    try:
        shutil.copyfile(locustfile, folder / EXPORTED_LOCUSTFILE)
        for template, name in _TEMPLATES.items():
            (folder / name).write_text(templates.get_template(template).render(facts), encoding="utf-8")
    except OSError as error:
        raise LoadError(
            f"can't write the plan: {error.strerror or error}", where=str(folder), remedy="name another folder"
        ) from error
