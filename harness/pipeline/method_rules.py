"""What holds for every method alike: whether it needs data, and whether its quality gate was met."""

from __future__ import annotations

from harness import registry
from harness.records import Manifest
from harness.scenario import Choice, options


def needs_data(choice: Choice, before: Manifest) -> str:
    """What a step needs data for; empty where it works on the model alone. Methods need some unless they say so."""
    said = getattr(registry.method(choice.kind), "needs_data", None)
    if said is None:
        return "it learns from candidates and their grades"
    return str(said(options("methods", choice), before))


def methods_without_data() -> list[str]:
    """Names of the methods that can work on a model file alone, with some of their settings at least."""
    return [name for name in registry.names("methods") if hasattr(registry.method(name), "needs_data")]


def gate_missed(choice: Choice, before: Manifest, after: Manifest) -> str:
    """Why a step's quality gate (`max_drop`) was met by nothing smaller; empty where it was, or there is none.

    A method that goes on with the best it has found says so itself, in `meta["gate_missed"]`; one that leaves its input
    as it is need not.
    """
    said = str(after.meta.get("gate_missed") or "")
    if said and said != before.meta.get("gate_missed"):  # methods hand on the meta of their input
        return said
    max_drop = options("methods", choice).model_dump().get("max_drop")
    counts = [(size.n_trees, size.n_nodes, size.n_parameters) for size in (before.size, after.size)]
    if max_drop is None or counts[0] != counts[1] or "early_exit" in after.meta:
        return ""
    return f"nothing smaller than its input stays within max_drop {max_drop:g} on the valid split, at the 95 % bound"
