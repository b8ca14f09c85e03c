"""The command that asks an endpoint about itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from harness.cli.completion import complete_plugins

if TYPE_CHECKING:
    from harness.target.probe import Probe


@click.command()
@click.argument("url")
@click.option(
    "--adapter", default="oip", show_default=True, shell_complete=complete_plugins("adapters"),
    help="See `harness list adapters`.",
)  # fmt: skip
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="An option of the adapter, in YAML.")
@click.option(
    "--header-env", "headers", multiple=True, metavar="NAME=VARIABLE", help="A header whose value a variable holds."
)
@click.option("--bearer-env", metavar="VARIABLE", help="The variable that holds a bearer token.")
@click.option("--tls-ca", metavar="FILE", help="PEM file of the authority to trust.")
@click.option("--no-tls-verify", is_flag=True, help="Take any certificate.")
@click.option("--remote", is_flag=True, help="Allow another host than this: ask only hosts you may.")
@click.option("--n-candidates", type=click.IntRange(1, 100_000), default=100, show_default=True)
@click.option("--n-features", type=click.IntRange(1, 100_000), help="[default: what the model's metadata says]")
@click.option("--timeout", "timeout_s", type=click.FloatRange(0.01, 600), default=10.0, show_default=True, help="s")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def probe(
    url: str,
    adapter: str,
    settings: Sequence[str],
    headers: Sequence[str],
    bearer_env: str | None,
    tls_ca: str | None,
    no_tls_verify: bool,
    remote: bool,
    n_candidates: int,
    n_features: int | None,
    timeout_s: float,
    as_json: bool,
) -> None:
    """Is a ranking endpoint up, how does it want to be asked, what does one request cost? At most 17 requests."""
    from pydantic import ValidationError
    from ruamel.yaml import YAML

    from harness.errors import UsageError
    from harness.scenario import Access, Choice
    from harness.target import probe as probing

    named = dict(_pair(text, "--header-env") for text in headers)
    chosen = {key: YAML(typ="safe", pure=True).load(value) for key, value in (_pair(s, "--set") for s in settings)}
    try:
        access = Access(
            headers_env=named, bearer_env=bearer_env, tls_ca=tls_ca, tls_verify=not no_tls_verify, remote=remote
        )
    except ValidationError as error:
        raise UsageError(
            "; ".join(fault["msg"] for fault in error.errors()),
            where="--header-env, --bearer-env",
            remedy="write NAME=VARIABLE, the variable's name and not its value",
        ) from error
    found = probing.probe(
        url, access, Choice.model_validate({"kind": adapter, **chosen}), n_candidates, n_features, timeout_s
    )
    click.echo(found.model_dump_json(indent=1) if as_json else "\n".join(_lines(found)))


def _pair(text: str, option: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name or not value:
        raise click.BadParameter(f"{text!r} is not of the form NAME=VALUE", param_hint=option)
    return name, value


def _lines(found: Probe) -> list[str]:
    asked = ", ".join(f"{key} {value}" for key, value in found.adapter.items() if value not in (None, {}, ""))
    times = f"min {found.round_trip_ms_min:.2f} ms, median {found.round_trip_ms_median:.2f} ms, connecting included"
    rows = {
        "up": f"yes; {found.n_requests - found.n_failed} of {found.n_requests} requests answered",
        "asked by": asked,
        "refused": "; ".join(f"{key}: {reason}" for key, reason in found.refused.items()),
        "metadata": "; ".join(f"{key} {value}" for key, value in found.metadata.items()),
        "candidates": f"{found.n_candidates} of {found.n_features} random features",
        "answer": f"WRONG: {found.problem}" if found.problem else f"{found.answer}, every candidate ranked",
        "round trip": times,
        "bytes": f"{found.bytes_out:,} out, {found.bytes_in:,} in",
    }
    return [f"{name:<11} {text}" for name, text in rows.items() if text]
