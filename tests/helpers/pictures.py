"""The pictures that the README shows, of pages that the harness has published.

    python tests/helpers/pictures.py results/example

Into `pictures/` there: `run.png`, the first screen of the newest run named by --run, and `suite.png`, the page of the
newest suite.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from chromium import launched
from playwright.sync_api import sync_playwright

WIDTH, HEIGHT = 1200, 900


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path)
    parser.add_argument("--run", default="quickstart", help="scenario whose report is shown")
    arguments = parser.parse_args()
    results: Path = arguments.results
    pages = {
        "run": _newest(results, f"{arguments.run}-*/report.html"),
        "suite": _newest(results, "*.html"),
    }
    (results / "pictures").mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = launched(playwright)
        for name, page in pages.items():
            view = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, reduced_motion="reduce")
            view.goto(page.resolve().as_uri())
            view.screenshot(path=results / "pictures" / f"{name}.png")
            print(f"{results / 'pictures' / name}.png of {page}")
        browser.close()


def _newest(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern), key=lambda path: path.stat().st_mtime)
    if not found:
        raise SystemExit(f"no {folder}/{pattern}: first run `harness run scenarios/suites/example.yaml --out {folder}`")
    return found[-1]


if __name__ == "__main__":
    main()
