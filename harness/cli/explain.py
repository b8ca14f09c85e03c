"""The command that says what a name means: `harness explain`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from harness.cli.completion import complete_explained

if TYPE_CHECKING:
    from harness.explanations import Explanation, Kind


_WIDEST = 100
_EXAMPLE = "    "
"""What lines of an example begin with."""


@click.command()
@click.argument("name", required=False, shell_complete=complete_explained)
@click.option("--all", "everything", is_flag=True, help="Print one Markdown page of all there is.")
def explain(name: str | None, everything: bool) -> None:
    """Say what a finding, objective, verdict, method, engine or any other name means, and what to do about it.

    Without NAME, list all names by kind.
    """
    from harness import explanations

    if name and everything:
        raise click.UsageError(f"`--all` explains {name} too; give one of them")
    if everything:
        click.echo(_page())
    elif name:
        click.echo("\n\n".join(_text(explanations.explain(kind, known)) for kind, known in _found(name)))
    else:
        click.echo("\n\n".join(_listed(kind) for kind in explanations.KINDS))


def _found(name: str) -> list[tuple[Kind, str]]:
    from difflib import get_close_matches

    from harness import explanations
    from harness.errors import UsageError

    found = explanations.named(name)
    if not found:
        known = {word: None for kind in explanations.KINDS for word in explanations.names(kind)}
        near = get_close_matches(name.casefold(), known, n=3, cutoff=0.5)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        raise UsageError(f"nothing is called {name!r}{hint}", remedy="`harness explain` lists all names")
    return found


def _listed(kind: Kind) -> str:
    from harness import explanations

    return f"{click.style(kind, bold=True)}\n{_wrapped('  '.join(explanations.names(kind)), indent='  ')}"


def _text(about: Explanation) -> str:
    """For a terminal: paragraphs wrapped to its width, a key on a line with what it does below."""
    title = f"{click.style(about.name, bold=True)}, {_singular(about.kind)}"
    parts = about.text.split("\n\n")
    blocks = [title, *(part if part.startswith(_EXAMPLE) else _wrapped(part) for part in parts)]
    if about.keys:
        blocks.append(click.style("Keys", bold=True))
    for key in about.keys:
        default = f", {key.default} where absent" if key.default else ", required"
        blocks[-1] += f"\n  {click.style(key.name, bold=True)}: {key.takes}{default}"
        blocks[-1] += f"\n{_wrapped(key.does, indent='    ')}"
    return "\n\n".join(blocks)


def _wrapped(text: str, indent: str = "") -> str:
    """As wide as the terminal, at most what is pleasant to read; names are not broken at their hyphens."""
    from shutil import get_terminal_size
    from textwrap import TextWrapper

    width = min(get_terminal_size((_WIDEST, 24)).columns, _WIDEST)
    whole = TextWrapper(width, indent, indent, break_on_hyphens=False, break_long_words=False)
    return whole.fill(text)


def _page() -> str:
    """Everything as Markdown, a section for each kind."""
    from harness import explanations

    blocks = ["# What the names mean", "Written by `harness explain --all`."]
    for kind in explanations.KINDS:
        blocks.append(f"## {kind.capitalize()}")
        for name in explanations.names(kind):
            about = explanations.explain(kind, name)
            blocks += [f"### {name}", about.text]
            if about.keys:
                rows = (f"| `{k.name}` | {k.takes} | {k.default or 'required'} | {_cell(k.does)} |" for k in about.keys)
                blocks.append("\n".join(("| key | takes | default | |", "|---|---|---|---|", *rows)))
    return "\n\n".join(blocks)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _singular(kind: Kind) -> str:
    return "report format" if kind == "formats" else kind.removesuffix("s")
