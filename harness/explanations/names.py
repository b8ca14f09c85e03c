"""Name -> what it means. One name may stand for several things, such as the ranker and the exporter `lightgbm`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness import registry
from harness.explanations._entries import entries, unwrapped
from harness.explanations.keys import Key, keys_of
from harness.scenario import quantile_of

Kind = Literal["findings", "objectives", "verdicts"] | registry.Kind
KINDS: tuple[Kind, ...] = ("findings", "objectives", "verdicts", *registry.ROOMS)
"""What can be explained, in the order in which it is listed."""
_PERCENTILES = "pNN_ms"


@dataclass(frozen=True)
class Explanation:
    """What `name`, one of `kind`, means: paragraphs of text, and the keys that a scenario may set for it."""

    kind: Kind
    name: str
    text: str
    keys: tuple[Key, ...] = ()


def names(kind: Kind) -> list[str]:
    """The names of a kind."""
    if kind == "findings" or kind == "objectives" or kind == "verdicts":
        return list(entries(kind))
    return registry.names(kind)


def named(name: str) -> list[tuple[Kind, str]]:
    """Kind and full name of all that is called so, whatever the case; any percentile is an objective. May be empty."""
    wanted = name.casefold()
    found: list[tuple[Kind, str]] = [
        (kind, known) for kind in KINDS for known in names(kind) if known.casefold() == wanted
    ]
    return found or ([("objectives", _PERCENTILES)] if _is_percentile(wanted) else [])


def finding(name: str) -> str:
    """What raises a finding, what it does to a verdict and what to do; empty for one that is raised no more."""
    return entries("findings").get(name, "")


def objective(name: str) -> str:
    """What an objective of an SLA asks and how it is judged; empty for one that is not known."""
    return entries("objectives").get(_PERCENTILES if _is_percentile(name) else name, "")


def explain(kind: Kind, name: str) -> Explanation:
    """What a name of that kind means; imports a plug-in for its keys. KeyError or UsageError where there is none."""
    if kind == "findings" or kind == "objectives" or kind == "verdicts":
        return Explanation(kind, name, entries(kind)[name])
    docstring = unwrapped(registry.docstring(kind, name))
    options = registry.options_model(kind, name) if registry.has_options(kind) else None
    return Explanation(kind, name, docstring, keys_of(options) if options else ())


def _is_percentile(name: str) -> bool:
    try:
        return 0 < quantile_of(name if name.endswith("_ms") else f"{name}_ms") < 1
    except ValueError:
        return False
