"""How a mean loss of NDCG is spread: over query groups, and over the sizes of their candidate lists."""

from __future__ import annotations

import math

from harness.records import GroupLosses, LedgerRow, ListSizeNdcg, NdcgSpec
from harness.report import _numbers as numbers
from harness.report._charts.chart import (
    COMPRESSED,
    CONTROL,
    INK,
    LIMIT,
    SOFT,
    TEACHER,
    Chart,
    Layer,
    labels,
    layer,
    named_colours,
    quantitative,
    rounded,
    tips,
)

_STEP = 0.02


def spread_of_quality(ledger: tuple[LedgerRow, ...], ndcg: NdcgSpec) -> tuple[Chart, ...]:
    """Per-group differences, NDCG by list size, and its loss by list size, of what is served; none where the ledger
    does not hold them, or nothing was changed."""
    groups = ledger[-1].quality.groups if ledger else None
    if groups is None or not groups.losses:
        return ()
    sizes = groups.list_sizes
    by_size = (_by_size(sizes, ndcg), _lost_by_size(sizes, ndcg, ledger[-1].quality.margin)) if len(sizes) > 1 else ()
    return (_histogram(groups, ledger[-1].quality.drop, ndcg), *by_size)


def _histogram(groups: GroupLosses, mean: float, ndcg: NdcgSpec) -> Chart:
    n = groups.n_unchanged + sum(count for _, count in groups.losses)
    rows = [
        {
            "loss": loss, "from": rounded(loss - _STEP / 2), "to": rounded(loss + _STEP / 2), "groups": count,
            "outcome": "lose" if loss > 0 else "gain" if loss < 0 else "", "shown": numbers.quality(loss),
            "share": f"{count:,} ({numbers.share(count / n)})",
        }
        for loss, count in groups.losses
    ]  # fmt: skip
    x = quantitative("from", f"NDCG@{ndcg.k} lost by a query group", axis={"grid": False, "tickCount": 5})
    colour = {
        "field": "outcome", "type": "nominal", "legend": None,
        "scale": {"domain": ["lose", "gain", ""], "range": [TEACHER, COMPRESSED, CONTROL]},
    }  # fmt: skip
    losing = sum(count for loss, count in groups.losses if loss > 0)
    gaining = sum(count for loss, count in groups.losses if loss < 0)
    said = (
        f"Of {n:,} query groups, {numbers.share(groups.n_unchanged / n)} keep their NDCG exactly and are not drawn; "
        f"{losing:,} lose and {gaining:,} gain 0.01 or more."
    )
    y = {"field": "groups", "type": "quantitative", "title": "query groups", "axis": {"tickMinStep": 1}}
    under = tips(shown="NDCG lost, about", share="query groups")
    return Chart(
        name="groups",
        title="Differences per query group",
        words=f"{said} Mean loss {numbers.quality(mean)}.",
        layers=(
            layer(rows, "bar", x=x | {"bin": "binned"}, x2={"field": "to"}, y=y, color=colour, tooltip=under),
            layer([{"from": 0}], {"type": "rule", "color": SOFT}, x=x),
            *_mean(mean, x),
        ),
        caption=said,
        height=260,
        width=400,
    )


def _mean(mean: float, x: dict[str, object]) -> tuple[Layer, ...]:
    rows = [{"from": rounded(mean), "label": f"mean {numbers.quality(mean)}"}]
    text = {"align": "left", "baseline": "top", "dx": 5, "fontWeight": 600}
    return (
        layer(rows, {"type": "rule", "color": INK, "strokeDash": [4, 3], "strokeWidth": 1.5}, x=x),
        *labels(rows, text, x=x, y={"value": 0}),
    )


def _by_size(sizes: tuple[ListSizeNdcg, ...], ndcg: NdcgSpec) -> Chart:
    rows = [
        {"ndcg": rounded(value), "target": name, "shown": numbers.quality(value), **_about(one)}
        for one in sizes
        for name, value in (("teacher", one.teacher_ndcg), ("compressed", one.ndcg))
    ]
    place = {"x": _sizes_axis(sizes), "y": quantitative("ndcg", f"mean NDCG@{ndcg.k}")}
    series = named_colours(["compressed", "teacher"], [COMPRESSED, TEACHER])
    under = tips(target="ranker", shown="NDCG", size="candidates", groups="query groups")
    return Chart(
        name="ndcg-by-size",
        title="NDCG by list size",
        words="; ".join(
            f"{_range(one)} candidates: teacher {numbers.quality(one.teacher_ndcg)}, "
            f"compressed {numbers.quality(one.ndcg)}"
            for one in sizes
        ),
        layers=(
            layer(rows, "line", **place, **series),
            layer(rows, {"type": "point", "filled": True, "opacity": 1, "size": 50}, tooltip=under, **place,
                  color=series["color"]),
        ),
        caption="Query groups in classes of about equally many, by how many candidates they have.",
        height=260,
        width=400,
    )  # fmt: skip


def _lost_by_size(sizes: tuple[ListSizeNdcg, ...], ndcg: NdcgSpec, margin: float) -> Chart:
    rows = [
        {
            "lost": rounded(one.drop), "lower": rounded(one.drop_lower),
            "upper": rounded(one.drop_upper),
            "shown": numbers.quality(one.drop), "most": numbers.quality(one.drop_upper), **_about(one),
        }
        for one in sizes
    ]  # fmt: skip
    x, y = _sizes_axis(sizes), quantitative("lost", f"NDCG@{ndcg.k} lost", scale={})
    under = tips(shown="lost", most="at most", size="candidates", groups="query groups")
    point = {"type": "point", "filled": True, "opacity": 1, "size": 70, "color": COMPRESSED}
    text = {"align": "left", "dx": 4, "dy": -4, "baseline": "bottom", "color": LIMIT, "fontWeight": 600}
    asked: tuple[Layer, ...] = ()
    if not math.isnan(margin):
        line = [{"lost": margin, "label": f"margin {margin:g}"}]
        rule = {"type": "rule", "color": LIMIT, "strokeDash": [4, 3], "strokeWidth": 1.5}
        asked = (layer(line, rule, y=y), *labels(line, text, x={"value": 0}, y=y))
    return Chart(
        name="lost-by-size",
        title="NDCG lost by list size",
        words="; ".join(
            f"{_range(one)} candidates: {numbers.quality(one.drop)}, at most {numbers.quality(one.drop_upper)}"
            for one in sizes
        ),
        layers=(
            *asked,
            layer(rows, {"type": "rule", "color": INK, "strokeWidth": 1.5}, x=x, y=y | {"field": "lower"},
                  y2={"field": "upper"}),
            layer(rows, point, x=x, y=y, tooltip=under),
        ),
        caption="Teacher minus compressed, with one-sided 95 % bounds; the margin is that of the mean over all groups.",
        height=260,
        width=400,
    )  # fmt: skip


def _sizes_axis(sizes: tuple[ListSizeNdcg, ...]) -> dict[str, object]:
    return {
        "field": "size",
        "type": "ordinal",
        "title": "candidates in the list",
        "scale": {"domain": [_range(one) for one in sizes]},
        "axis": {"labelAngle": -40, "labelOverlap": False, "grid": False},
    }


def _range(one: ListSizeNdcg) -> str:
    return f"{one.smallest}" if one.smallest == one.largest else f"{one.smallest}–{one.largest}"


def _about(one: ListSizeNdcg) -> dict[str, str]:
    return {"size": _range(one), "groups": f"{one.n_groups:,}"}
