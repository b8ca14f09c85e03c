"""SHA-256 of the files of a run directory: what a report was made of, and `SHA256SUMS` over everything.

`sha256sum -c SHA256SUMS` checks a run directory without the harness, and a signature of that one file (GnuPG, minisign,
cosign) signs the whole run.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path

from harness.bundle import sha256_of
from harness.errors import HarnessError
from harness.pipeline.recorder import PROGRESS
from harness.pipeline.run_dir import RunDir

SUMS = "SHA256SUMS"
_LINE = re.compile(r"([0-9a-f]{64}) [ *](.+)")


def digests_of(run_dir: RunDir, but: Collection[str] = ()) -> dict[str, str]:
    """Path within the run directory -> SHA-256, sorted; without `but`, SHA256SUMS itself and hidden files.

    Without progress.jsonl too, which goes on past the report and of which no report is made.
    """
    found = sorted(path for path in run_dir.path.rglob("*") if path.is_file())
    named = {path.relative_to(run_dir.path).as_posix(): path for path in found}
    left_out = {SUMS, PROGRESS, *but}
    try:
        return {name: sha256_of(path) for name, path in named.items() if name not in left_out and not _hidden(name)}
    except OSError as error:
        raise HarnessError(
            f"can't read: {error.strerror or error}",
            where=str(run_dir.path),
            remedy="check the disk and your permissions",
        ) from error


def write_sums(run_dir: RunDir) -> None:
    """Write SHA256SUMS, in the form of the GNU tool of that name."""
    run_dir.write(SUMS, "".join(f"{digest}  {name}\n" for name, digest in digests_of(run_dir).items()))


def read_sums(path: Path) -> dict[str, str]:
    """What a SHA256SUMS lists; empty where there is none. Lines of another form are left out."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    return {match[2]: match[1] for line in lines if (match := _LINE.fullmatch(line))}


def changes(before: Mapping[str, str], now: Mapping[str, str]) -> dict[str, str]:
    """File -> `changed`, `missing` or `added`."""
    found = {name: "missing" if name not in now else "changed" for name in before if now.get(name) != before[name]}
    return found | {name: "added" for name in now if name not in before}


def _hidden(name: str) -> bool:
    return any(part.startswith(".") for part in name.split("/"))
