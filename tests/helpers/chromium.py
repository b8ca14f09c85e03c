"""The Chromium of this machine, opened by Playwright without a window."""

from __future__ import annotations

import shutil

from playwright.sync_api import Browser, Playwright

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


def program() -> str | None:
    """Where it is, or None where there is none."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


def launched(playwright: Playwright) -> Browser:
    """A browser; FileNotFoundError with what to install where there is none."""
    path = program()
    if path is None:
        raise FileNotFoundError("no Chromium on the PATH; on Debian: `apt-get install chromium`")
    return playwright.chromium.launch(executable_path=path, args=FLAGS)
