"""Software: compiler, libraries, optional extras, and when the harness was last calibrated here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from importlib import metadata

from harness.doctor.check import Check, bad, ok, warn
from harness.environment import identity
from harness.judge.noise_floor import COMMAND, outdated
from harness.records import Calibration

DISTRIBUTION = "ranking-latency-harness"
_FOR_DEVELOPERS = ("dev", "test")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_EXTRA = re.compile(r"""extra == ["']([^"']+)["']""")
_SHOWN = ("lightgbm", "xgboost", "torch", "treelite", "tl2cgen", "locust", "numpy", "scipy")


def compiler_check(version: str) -> Check:
    """The C compiler, by the first line of its `--version`; `none`."""
    if version == "none":
        return bad(
            "C compiler", "none", "tl2cgen fails, and bitblend is replaced by gtil, an interpreter (engine-fallback)",
            "install gcc (Debian: apt install gcc)",
        )  # fmt: skip
    return ok("C compiler", version)


def library_checks(requirements: Sequence[str]) -> Iterator[Check]:
    """Whether what the harness needs is installed, and which optional extras are; `requirements` as packages state."""
    absent = [name for name, extra in map(_parsed, requirements) if not extra and not _version(name)]
    shown = ", ".join(f"{name} {version}" for name in _SHOWN if (version := _version(name)))
    if absent:
        yield bad("libraries", f"absent: {', '.join(absent)}", "a run fails that needs one", "pip install them")
    else:
        yield ok("libraries", shown)
    extras: dict[str, list[str]] = {}
    for name, extra in map(_parsed, requirements):
        if extra and extra not in _FOR_DEVELOPERS and name != DISTRIBUTION:
            extras.setdefault(extra, []).append(name)
    missing = [extra for extra, packages in extras.items() if not all(map(_version, packages))]
    present = [extra for extra in extras if extra not in missing]
    value = "; ".join(
        f"{word}: {', '.join(found)}" for word, found in (("installed", present), ("not installed", missing)) if found
    )
    if value:
        remedy = f"pip install '{DISTRIBUTION}[{','.join(missing)}]' where you need them" if missing else ""
        yield Check(what="optional extras", value=value, remedy=remedy)


def requirements() -> list[str]:
    """What the installed harness says that it needs; empty where it runs without having been installed."""
    try:
        return metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        return []


def calibration_check(calibration: Calibration | None, now: str) -> Check:
    """Whether the noise floor of this machine is known, and lately; `now` in ISO 8601."""
    if calibration is None:
        return warn(
            "calibration", "none", "what the harness itself adds to a latency is not known (no-calibration)",
            f"{COMMAND} (about a minute)",
        )  # fmt: skip
    if was := outdated(calibration, identity(), now):
        return warn(
            "calibration", f"measured {was}", "the noise floor shown beside the SLA may be another (stale-calibration)",
            f"{COMMAND} (about a minute)",
        )  # fmt: skip
    return ok("calibration", f"{calibration.age_days(now):.0f} days old")


def _parsed(requirement: str) -> tuple[str, str]:
    """Package and extra (empty: always needed) of `onnx>=1.17; extra == "onnx"`."""
    name, extra = _NAME.match(requirement), _EXTRA.search(requirement)
    return name[0] if name else "", extra[1] if extra else ""


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""
