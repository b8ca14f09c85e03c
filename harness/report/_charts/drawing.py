"""From specifications to a page: drawings that stand still, and the script that brings them to life."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from functools import cache, lru_cache
from pathlib import Path

from harness.cache import Cache, default_cache_dir, key_of, package_versions
from harness.errors import HarnessError, ModelError
from harness.report._charts.chart import Chart

VEGA_LITE = "6.4"


def drawn(chart: Chart) -> str:
    """The chart as an <svg> that scales with what holds it."""
    return _svg(json.dumps(chart.spec(live=False)))


@cache
def page_script() -> str:
    """JavaScript for the end of a page: Vega, Vega-Lite and their interpreter of expressions (no `eval`), and ours.

    Bundling takes seconds, so it is kept in the user's cache; where that can't be written, it is bundled each time.
    """
    snippet = (Path(__file__).parents[1] / "_templates" / "charts.js").read_text(encoding="utf-8")
    key = key_of({"snippet": snippet, "vega_lite": VEGA_LITE, "versions": package_versions("vl-convert-python")})

    def build(out: Path) -> None:
        (out / "charts.js").write_text(_bundled(snippet), encoding="utf-8")

    def reopen(path: Path) -> str:
        try:
            return (path / "charts.js").read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise ModelError(f"unreadable script: {error}", where=str(path)) from error

    try:
        return Cache(default_cache_dir()).obtain("report", key, build, reopen)[0]
    except HarnessError:
        return _bundled(snippet)


def digest(script: str) -> str:
    """The name of a script in a Content-Security-Policy, by which a browser runs it and no other."""
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}"


def _bundled(snippet: str) -> str:
    import vl_convert

    return vl_convert.javascript_bundle(snippet, VEGA_LITE)


@lru_cache(64)
def _svg(spec: str) -> str:
    """Remembered, for the pages that one process writes repeat each other's charts."""
    import vl_convert

    svg = vl_convert.vegalite_to_svg(spec, VEGA_LITE)
    return re.sub(r"^<svg [^>]*?(viewBox=\"[^\"]*\")>", r'<svg xmlns="http://www.w3.org/2000/svg" \1>', svg)
