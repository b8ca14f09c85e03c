"""How long a page of 1,000,000 samples and one of a suite of 200 scenarios take, from records to drawn charts.

    python tests/benchmarks/report_pages.py

Writing is timed in this process, after the script of charts has been bundled once per machine (that time is told
apart); drawing is from opening the file in headless Chromium until every chart is live, or the table is laid out.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from harness.records import Report
from harness.report import html
from harness.report._charts.drawing import page_script
from harness.samples import Samples

SAMPLE = Path(__file__).resolve().parents[1] / "sample_report"
N_SAMPLES = 1_000_000
N_SCENARIOS = 200
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")


def samples(n: int) -> Samples:
    """Both sides in ten rounds in turn; every thousandth request of the teacher fails."""
    rng = np.random.default_rng(0)
    segment = (np.arange(n) * 20 // n).astype(np.int16)
    due_s = 60 * ((np.arange(n) * 20 / n) % 1)
    slow = segment % 2 == 0
    done_s = due_s + rng.lognormal(np.where(slow, -4, -6), 0.7)
    return Samples(
        targets=("teacher", "compressed"),
        target=(~slow).astype(np.int16),
        segment=segment,
        in_window=np.ones(n, dtype=bool),
        due_s=due_s,
        sent_s=due_s + rng.gamma(2.0, 0.00004, n),
        done_s=done_s,
        status=np.where(slow & (rng.random(n) < 0.001), 503, 200).astype(np.int16),
        n_candidates=np.full(n, 100, dtype=np.int32),
        body=np.zeros(n, dtype=np.int32),
    )


def report(name: str) -> Report:
    """One of the sample reports of the tests."""
    return Report.model_validate_json((SAMPLE / "reports" / f"{name}.json").read_bytes())


def suite(n: int) -> list[Report]:
    """Reports that differ in name, quality and time, all of one teacher, data and machine."""
    rng, known = np.random.default_rng(1), report("pass")
    found = []
    for place in range(n):
        *rows, last = known.measurements.ledger
        drop = float(rng.uniform(0, 0.02))
        quality = last.quality.model_copy(update={"drop": drop, "drop_lower": drop / 2, "drop_upper": 1.5 * drop})
        size = last.size.model_copy(update={"disk_bytes": int(1e6 * (0.3 - 10 * drop) * rng.uniform(1, 2))})
        changed = last.model_copy(update={"quality": quality, "size": size, "digest": f"{place:064x}"})
        run = known.measurements.model_copy(update={"ledger": (*rows, changed)})
        found.append(known.model_copy(update={"name": f"scenario-{place}", "measurements": run}))
    return found


def drawn_s(page: Path) -> float:
    """Seconds from opening the page until all its charts are live."""
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium")
    if program is None:
        sys.exit("needs Chromium (on Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        opened = browser.new_page(viewport={"width": 1200, "height": 900})
        started = time.perf_counter()
        opened.goto(page.as_uri())
        opened.wait_for_function("document.querySelectorAll('figure[data-chart]:not([data-drawn])').length === 0")
        took_s = time.perf_counter() - started
        browser.close()
    return took_s


def timed(name: str, write: Callable[[], str], folder: Path) -> None:
    """Print a row: seconds to write and to draw, and the size of the page."""
    started = time.perf_counter()
    text = write()
    wrote_s, page = time.perf_counter() - started, folder / f"{name}.html"
    page.write_text(text, encoding="utf-8")
    draw_s = drawn_s(page)
    print(
        f"| {name} | {wrote_s:.2f} s | {draw_s:.2f} s | {wrote_s + draw_s:.2f} s | {len(text.encode()) / 1e6:.2f} MB |"
    )


def main() -> None:
    """Print the table."""
    started = time.perf_counter()
    page_script()
    print(f"Script of charts, bundled or from the cache: {time.perf_counter() - started:.2f} s\n")
    print("| page | written in | drawn in | both | size |\n|---|---|---|---|---|")
    many, reports = samples(N_SAMPLES), suite(N_SCENARIOS)
    with tempfile.TemporaryDirectory() as folder:
        timed("1,000,000 samples", lambda: html.render(report("pass"), many), Path(folder))
        timed("200 scenarios", lambda: html.render_suite(reports), Path(folder))


if __name__ == "__main__":
    main()
