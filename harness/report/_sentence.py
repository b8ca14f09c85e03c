"""The verdict as one sentence in plain words."""

from __future__ import annotations

import math

from harness.records import NdcgSpec, ObjectiveResult, Report, VerdictStatus
from harness.report import _capacity
from harness.report import _numbers as numbers
from harness.report import _objectives as objectives
from harness.report._target import TARGET, TEACHER, Target, engine_us, is_compressed, judged, subject, target


def sentence(report: Report) -> str:
    """What the verdict means, what it cost, and what compression bought."""
    side = judged(report)
    if side is None or not report.verdict.objectives:
        return "Nothing could be judged: the run has no measurement of the ranker under load."
    parts = [_judgement(report), _cost(report, side), _gain(report, side)]
    text = "; ".join(part for part in parts if part)
    return f"{text[0].upper()}{text[1:]}."


def headline(report: Report) -> ObjectiveResult | None:
    """The objective that a reader asks for first: the highest latency percentile, else the first objective."""
    latency = [result for result in report.verdict.objectives if result.name.endswith("_ms")]
    return next(reversed(latency), next(iter(report.verdict.objectives), None))


def _judgement(report: Report) -> str:
    name = _name(report)
    ndcg, results, status = report.measurements.ndcg, report.verdict.objectives, report.verdict.status
    main, wrong = headline(report), _wrong(report)
    assert main is not None  # noqa: S101  (`sentence` returns early without objectives)
    if status is VerdictStatus.INVALID:
        hard = ", ".join(dict.fromkeys(finding.name for finding in report.verdict.findings if finding.hard))
        why = f" ({hard})" if hard else ""
        asked = objectives.phrase(main, ndcg)
        return f"the measurement can't be trusted{why}, so whether {name} meets {asked} is open"
    if status is VerdictStatus.PASS:
        others = len(results) - 1
        rest = (
            "" if not others else f", and its {others} other objectives" if others > 1 else ", and its other objective"
        )
        room = numbers.objective(main.name, main.headroom, main.unit)
        return f"{name} meets {objectives.phrase(main, ndcg)} with {room} of headroom{rest}"
    missed = [result for result in results if result.status is VerdictStatus.FAIL]
    misses = f"misses {_listed([_miss(result, ndcg) for result in missed])}" if missed else ""
    if misses or wrong:
        return f"{name} {' and '.join(filter(None, [wrong, misses]))}"
    unsure = [result for result in results if result.status is not VerdictStatus.PASS] or [main]
    return f"it is undecided whether {name} meets {_listed([_doubt(result, ndcg) for result in unsure])}"


def _name(report: Report) -> str:
    if subject(report) == TARGET:
        return "the target"
    return "the compressed ranker" if is_compressed(report.measurements.ledger) else "the uncompressed ranker"


def _wrong(report: Report) -> str:
    """That answers were wrong, which no latency makes good; empty where none was."""
    audit = next((a for a in report.measurements.audits if a.target == subject(report) and a.n_wrong), None)
    if audit is None:
        return ""
    return f"answers {numbers.share(audit.n_wrong / audit.n_checked)} of the requests wrongly"


def _miss(result: ObjectiveResult, ndcg: NdcgSpec) -> str:
    if math.isinf(result.measured):
        return f"{objectives.phrase(result, ndcg)} (too many requests were not answered)"
    over = numbers.objective(result.name, abs(result.headroom), result.unit)
    return f"{objectives.phrase(result, ndcg)} by {over}"


def _doubt(result: ObjectiveResult, ndcg: NdcgSpec) -> str:
    if math.isnan(result.measured):
        return f"{objectives.phrase(result, ndcg)} (not measured)"
    measured = numbers.objective(result.name, result.measured, result.unit)
    bounds = objectives.bounds(result)
    return (
        f"{objectives.phrase(result, ndcg)} ({measured} measured{f', {bounds} with 95 % confidence' if bounds else ''})"
    )


def _listed(items: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(items[:-1]), items[-1]]))


def _cost(report: Report, subject: Target) -> str:
    if subject.row is None or not is_compressed(report.measurements.ledger):
        return ""
    ndcg = report.measurements.ndcg
    if not subject.row.quality.measured:
        return "what it costs in quality was not measured, for the scenario has no data"
    drop, most = subject.row.quality.drop, numbers.quality(subject.row.quality.drop_upper)
    match numbers.quality(drop):
        case "0.0000":
            return f"costs no NDCG@{ndcg.k} (at most {most} with 95 % confidence)"
        case text if drop < 0:
            return f"gains {text.removeprefix('−')} NDCG@{ndcg.k} (costs at most {most} with 95 % confidence)"
        case text:
            return f"costs {text} NDCG@{ndcg.k} (at most {most} with 95 % confidence)"


def _gain(report: Report, subject: Target) -> str:
    teacher = target(report, TEACHER)
    compressed = is_compressed(report.measurements.ledger)
    if teacher is None or not (compressed or teacher.measure):
        return ""
    name = "the uncompressed teacher" if compressed else f"the same ranker behind engine {teacher.engine}"
    smaller = numbers.ratio(teacher.disk_bytes, subject.disk_bytes, "smaller", "larger")
    if report.verdict.status is VerdictStatus.INVALID:  # no time of this run is worth telling
        return f"{smaller} than {name}" if smaller and smaller != numbers.SAME else ""
    faster = numbers.ratio(*engine_us(teacher, subject), "faster", "slower")
    more = _capacity.change(report.capacity(TEACHER), report.capacity(subject.name))
    claims = [smaller, f"engine {faster}" if faster else "", f"capacity {more}" if more else ""]
    gain = ", ".join(claim for claim in claims if claim and not claim.endswith(numbers.SAME))
    beside = _beside(report, teacher)
    if not gain:
        return f"{name} {beside}" if beside else ""
    return f"{gain} than {name}{f', which {beside}' if beside else ''}"


def _beside(report: Report, teacher: Target) -> str:
    main = headline(report)
    if teacher.measure is None:
        return "was not load-tested"
    if main is None or not main.name.endswith("_ms") or math.isnan(teacher.latency_ms(main.name)):
        return ""
    measured = teacher.latency_ms(main.name)
    if math.isinf(measured):
        return f"leaves {numbers.share(teacher.measure.error_rate)} of the requests unanswered"
    percentile = f"{objectives.name(main.name, report.measurements.ndcg)} {numbers.ms(measured)}"
    return f"misses the SLA at {percentile}" if measured > main.limit else f"stays inside the SLA at {percentile}"
