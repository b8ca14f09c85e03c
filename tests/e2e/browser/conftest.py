"""Open a page that the harness wrote in headless Chromium, and note what it says and asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from chromium import launched, program
from playwright.sync_api import Browser, Page, sync_playwright


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for a module; no longer, for Playwright's event loop keeps others out of the thread it is in."""
    if program() is None:
        pytest.skip("no Chromium to open the page in; on Debian: `apt-get install chromium`")
    with sync_playwright() as playwright:
        browser = launched(playwright)
        yield browser
        browser.close()


@pytest.fixture
def page_of(browser: Browser) -> Iterator[Callable[..., Page]]:
    """`page_of(html_path, **context)`: the page, opened; the context takes Playwright's options, such as
    `viewport={"width": 420, "height": 900}`, `color_scheme="dark"` or `java_script_enabled=False`.

    The page has `errors`, what its console told that is an error or a warning, and `requests`, the addresses that it
    asked for beside its own.
    """
    contexts = []

    def opened(path: Path, **options: Any) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1200, "height": 900}, **options})
        contexts.append(context)
        page, address = context.new_page(), path.resolve().as_uri()
        page.errors, page.requests = errors, requests = [], []
        page.on("console", lambda said: errors.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda asked: requests.append(asked.url) if asked.url != address else None)
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()
