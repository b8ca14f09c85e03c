"""Time of a call against the candidates in it, a line for each engine."""

from __future__ import annotations

from harness.report import _numbers as numbers
from harness.report._charts.chart import Chart, layer, log_axis, rounded, tips
from harness.report._charts.front import MICROSECONDS
from harness.studies import Bench, BenchedEngine

_SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right", "triangle-left")
_EXACT, _LOSSY = "exact", "not exact"


def time_against_length(bench: Bench) -> Chart | None:
    """The median time at each length; None where nothing was timed."""
    timed = sorted((one for one in bench.engines if one.times), key=lambda one: -one.times[-1].median_us)
    known = [times.median_us for engine in timed for times in engine.times]
    if not known:
        return None
    rows = [
        {
            "engine": engine.engine, "n": times.n_candidates, "us": rounded(times.median_us),
            "shown": numbers.us(times.median_us), "exact": _EXACT if engine.exact else _LOSSY,
        }
        for engine in timed
        for times in engine.times
    ]  # fmt: skip
    few, many = min(bench.lengths), max(bench.lengths)
    place = {
        "x": log_axis("n", "candidates in a call", few / 1.1, many * 1.1),
        "y": log_axis("us", "median time of a call", rounded(min(known) / 1.5), rounded(max(known) * 1.5),
                      labelExpr=MICROSECONDS),
    }  # fmt: skip
    names = [engine.engine for engine in timed]
    tones = [f"var(--tone-{place % len(_SHAPES)})" for place in range(len(names))]
    shapes = [_SHAPES[place % len(_SHAPES)] for place in range(len(names))]
    who = {"field": "engine", "type": "nominal", "legend": {"orient": "right"}}
    dash = {
        "field": "exact", "type": "nominal", "scale": {"domain": [_EXACT, _LOSSY], "range": [[1, 0], [7, 4]]},
        "legend": None,
    }  # fmt: skip
    colour = who | {"scale": {"domain": names, "range": tones}}
    under = tips(engine="engine", n="candidates", shown="median", exact="scores")
    point = {"type": "point", "filled": True, "size": 80, "opacity": 1}
    return Chart(
        name="times",
        title="Time against candidates",
        words=_in_words(timed),
        layers=(
            layer(rows, "line", color=colour, strokeDash=dash, **place),
            layer(
                rows, point, color=colour, shape=who | {"scale": {"domain": names, "range": shapes}},
                tooltip=under, **place,
            ),
        ),
        caption="Median time of one call; a dashed line is of an engine that is not exact.",
        height=400,
    )  # fmt: skip


def _in_words(timed: list[BenchedEngine]) -> str:
    said = (
        f"{engine.engine}: "
        + ", ".join(f"{numbers.us(times.median_us)} for {times.n_candidates:,}" for times in engine.times)
        for engine in timed
    )
    return f"{'; '.join(said)}."
