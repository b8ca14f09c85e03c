"""What a shell offers when Tab is pressed, beside what click knows by itself (commands, options, choices, files)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from harness.registry import Kind

Completion = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def complete_explained(_: click.Context, __: click.Parameter, begun: str) -> list[CompletionItem]:
    """All that `harness explain` knows, each with its kind beside."""
    from harness import explanations

    begins = begun.casefold()
    found = ((name, kind) for kind in explanations.KINDS for name in explanations.names(kind))
    return [CompletionItem(name, help=kind) for name, kind in found if name.casefold().startswith(begins)]


def complete_plugins(*kinds: Kind) -> Completion:
    """The plug-ins of some kinds, each with the line about it beside."""

    def complete(_: click.Context, __: click.Parameter, begun: str) -> list[CompletionItem]:
        from harness import registry

        found = ((kind, name) for kind in kinds for name in registry.names(kind) if name.startswith(begun))
        return [CompletionItem(name, help=registry.summary(kind, name)) for kind, name in found]

    return complete
