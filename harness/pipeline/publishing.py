"""Judging and rendering a finished run, and nothing else: from its files alone, as often as one likes."""

from __future__ import annotations

from harness import registry
from harness.judge.verdict import judge
from harness.pipeline.digests import digests_of, write_sums
from harness.pipeline.rate_tests import judged_capacities
from harness.pipeline.run_dir import EXTRACTS, SAVED_FORMATS, RunDir
from harness.records import Report


def judged(run_dir: RunDir) -> Report:
    """The report of a finished run, from its files; writes nothing."""
    scenario, measured = run_dir.scenario(), run_dir.measurements()
    report = judge(scenario, measured, run_dir.samples(), run_dir.samples_at_min_qps())
    capacities = judged_capacities(scenario, measured, run_dir)
    made_of = digests_of(run_dir, but=published_names())
    return report.model_copy(update={"run": run_dir.path.name, "capacities": capacities, "made_of": made_of})


def renderings(run_dir: RunDir, report: Report) -> dict[str, str]:
    """File name -> text of everything that is published of a run beside its measurements."""
    samples = run_dir.samples()
    formats = [registry.report_format(name) for name in SAVED_FORMATS]
    extracts = [registry.extract(name) for name in EXTRACTS]
    return {
        **{plugin.SUFFIX: plugin.render(report, samples) for plugin in formats},
        **{plugin.SUFFIX: plugin.render([report]) for plugin in extracts},
    }


def published_names() -> list[str]:
    """Names of the files that `renderings` gives."""
    return [
        *(registry.report_format(name).SUFFIX for name in SAVED_FORMATS),
        *(registry.extract(name).SUFFIX for name in EXTRACTS),
    ]


def publish(run_dir: RunDir) -> Report:
    """Judge a finished run from its files, write every saved format and extract, and the digests of all."""
    report = judged(run_dir)
    for name, text in renderings(run_dir, report).items():
        run_dir.write(name, text)
    write_sums(run_dir)
    return report
