"""What holds for every method alike: whether it needs data, and whether its quality gate was met."""

from __future__ import annotations

from collections.abc import Sequence

from harness import registry
from harness.errors import ModelError
from harness.records import Manifest
from harness.scenario import Choice, options


def needs_data(choice: Choice, before: Manifest) -> str:
    """What a step needs data for; empty where it works on the model alone. Methods need some unless they say so."""
    said = getattr(registry.method(choice.kind), "needs_data", None)
    if said is None:
        return "it looks at candidates, and most methods at their grades"
    return str(said(options("methods", choice), before))


def methods_without_data() -> list[str]:
    """Names of the methods that can work on a model file alone, with some of their settings at least."""
    return [name for name in registry.names("methods") if hasattr(registry.method(name), "needs_data")]


def check_order(recipe: Sequence[Choice]) -> None:
    """ModelError where a step learns from the uncompressed teacher alone, so that those before it make no difference.

    A method says so itself, by `starts_anew(options)`.
    """
    for place, choice in enumerate(recipe[1:], start=1):
        starts_anew = getattr(registry.method(choice.kind), "starts_anew", None)
        if starts_anew is not None and starts_anew(options("methods", choice)):
            raise ModelError(
                f"learns from the uncompressed teacher, so nothing comes of {recipe[place - 1].kind} before it",
                where=f"compress.{place}: {choice.kind}",
                remedy="put it first, and what makes its student smaller behind it",
            )


def gate_missed(choice: Choice, before: Manifest, after: Manifest) -> str:
    """Why a step's quality gate (`max_drop`) was met by nothing smaller; empty where it was, or there is none.

    A method that goes on with the best it has found, or has another reason to leave its input as it is, says so itself:
    `meta["gate_missed"]`, empty for the latter. Others that leave it as it is need not.
    """
    said = after.meta.get("gate_missed")
    if said is not None and said != before.meta.get("gate_missed"):  # methods hand on the meta of their input
        return str(said)
    max_drop = options("methods", choice).model_dump().get("max_drop")
    counts = [(size.n_trees, size.n_nodes, size.n_parameters) for size in (before.size, after.size)]
    if max_drop is None or counts[0] != counts[1] or "early_exit" in after.meta:
        return ""
    return f"nothing smaller than its input stays within max_drop {max_drop:g} on the valid split, at the 95 % bound"
