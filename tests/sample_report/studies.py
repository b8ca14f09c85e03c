"""Make the sample studies that the tests of the formats share: M/M/1 queues by their formula, no simulation.

python tests/sample_report/studies.py
"""

from __future__ import annotations

import math
from pathlib import Path

from points import measure, point

from harness.judge.capacity import judge_capacity
from harness.records import Finding, Measurements, Report
from harness.studies import (
    Bench,
    BenchedEngine,
    Comparison,
    Difference,
    EngineTimes,
    SkippedEngine,
    Study,
)

HERE = Path(__file__).parent
HOSTILE = "<script>alert(1)</script> | `x` \x1b[31m\n# \u202e*no*"


def difference(percentile: str, a_ms: float, b_ms: float, factor: float, answer: str) -> Difference:
    """One row of a comparison."""
    ratio, half_ms = b_ms / a_ms, b_ms * (factor - 1)
    return Difference(
        percentile=percentile, a_ms=a_ms, b_ms=b_ms, difference_ms=b_ms - a_ms,
        difference_lower_ms=b_ms - a_ms - half_ms, difference_upper_ms=b_ms - a_ms + half_ms,
        ratio=ratio, ratio_lower=ratio / factor, ratio_upper=ratio * factor, answer=answer,
    )  # fmt: skip


def benched(name: str, call_us: float, row_us: float, lengths: tuple[int, ...], lossy: str = "") -> BenchedEngine:
    """An engine that takes `call_us` and `row_us` for each candidate."""
    times = tuple(
        EngineTimes(
            n_candidates=n, n_calls=400, median_us=call_us + n * row_us, p99_us=1.4 * (call_us + n * row_us),
            ns_per_candidate_tree=1e3 * (call_us + n * row_us) / (300 * n), difference=0.02 if lossy else 1e-7,
            same_order_share=0.1 if lossy else 1.0,
            kendall_tau=math.nan if n == 1 else 0.981 if lossy else 1.0, top10_share=0.93 if lossy else 1.0,
        )
        for n in lengths
    )  # fmt: skip
    return BenchedEngine(
        engine=name, options={}, info={"library": name, "tolerance": None if lossy else 8e-6, "lossy": lossy},
        exact=not lossy, open_s=1.0, compile_s=10.3 if name == "tl2cgen" else 0.0, load_s=0.012, loaded_bytes=1_150_000,
        memory_bytes=20_900_000, times=times,
    )  # fmt: skip


def bench(run: Measurements) -> Bench:
    """Three engines: one that is quick to call, one that is quick per candidate, and a lossy one that is quicker."""
    lengths = (1, 20, 100, 500)
    bare = run.model_copy(update={"scenario": {}, "ledger": (), "targets": (), "load": None, "findings": ()})
    return Bench(
        name="model", measurements=bare, what="model.txt", bundle={"format": "trees", "digest": "ab" * 32}, n_trees=300,
        candidates="random rows", reference="native", lengths=lengths, compile_limit_s=60.0,
        engines=(
            benched("native", 80, 28, lengths), benched("bitblend", 40, 0.8, lengths),
            benched("tl2cgen", 30, 9, lengths), benched("rough", 45, 0.4, lengths, lossy="leaves in int8"),
        ),
        skipped=(SkippedEngine(engine="onnxruntime", reason="it scores networks, this one is trees", refused=True),),
    )  # fmt: skip


def studies(run: Measurements) -> dict[str, Study]:
    """A capacity search that ended, one that is open upwards, a comparison, and both with hostile text."""
    looks = [point(100, "PASS"), point(200, "PASS"), point(400, "FAIL"), point(800, "FAIL"), point(283, "INCONCLUSIVE")]
    looks += [point(328, "INCONCLUSIVE", near_edge=True), point(290, "PASS", near_edge=True)]
    looks.append(point(360, "FAIL", near_edge=True))
    whole = judge_capacity("feed-25ms", run, looks, 150.0)
    cut = run.model_copy(update={"complete": False, "failure": "interrupted"})
    compared = Comparison(
        name="feed-25ms", measurements=run, sides={"A": "results/one/bundle", "B": "results/one/bundle@tl2cgen"},
        min_effect=0.05, n_rounds=20, measures=(measure("A", 200, 400, 30.0), measure("B", 200, 500, 30.0)),
        differences=(
            difference("p50", 3.47, 2.31, 1.04, "B faster"), difference("p99", 23.0, 21.9, 1.3, "undecided"),
        ),
    )  # fmt: skip
    timed = bench(run)
    bad = {"name": HOSTILE, "findings": (Finding(name=HOSTILE, message=HOSTILE, remedy=HOSTILE),)}
    return {
        "capacity": whole,
        "capacity-open": judge_capacity("feed-25ms", cut, [point(100, "PASS"), point(200, "INVALID")], 150.0),
        "capacity-empty": judge_capacity("feed-25ms", cut, [], 150.0),
        "capacity-hostile": whole.model_copy(update=bad),
        "bench": timed,
        "bench-cut": timed.model_copy(update={"engines": (), "measurements": cut}),
        "bench-hostile": timed.model_copy(
            update=bad
            | {
                "engines": (benched(HOSTILE, 9, 1, timed.lengths),),
                "what": HOSTILE,
                "candidates": HOSTILE,
                "skipped": (SkippedEngine(engine=HOSTILE, reason=HOSTILE),),
            }
        ),
        "compare": compared,
        "compare-hostile": compared.model_copy(update=bad | {"sides": {"A": HOSTILE, "B": HOSTILE}}),
    }


def main() -> None:
    """Write the files."""
    run = Report.model_validate_json((HERE / "reports" / "pass.json").read_bytes()).measurements
    assert run.load is not None
    run = run.model_copy(update={"load": run.load.model_copy(update={"machine": None})})
    for name, study in studies(run).items():
        (HERE / "studies" / f"{name}.json").write_text(study.model_dump_json(indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
