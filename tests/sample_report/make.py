"""Make the sample reports that the tests of the formats share, and golden renderings.

    python tests/sample_report/make.py            # the renderings, from reports/pass.json and samples.npz
    python tests/sample_report/make.py --anew     # reports/ and samples.npz as well

Look at the difference before you keep it.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from drawings import without_drawings
from sample import report, samples
from variants import variants

from harness import registry
from harness.records import Report
from harness.report.json import json_schema
from harness.samples import Samples

HERE = Path(__file__).parent
SUITE = ("pass", "truncated", "tiny", "invalid", "target")
"""Reports of the suite that is rendered."""


def main() -> None:
    """Write the files."""
    if "--anew" in sys.argv:
        made = samples()
        made.save(HERE / "samples.npz")
        base = report(made)
        for name, known in {"pass": base, **variants(base, made)}.items():
            (HERE / "reports" / f"{name}.json").write_text(known.model_dump_json(indent=1) + "\n", encoding="utf-8")
    several = [Report.model_validate_json((HERE / "reports" / f"{name}.json").read_bytes()) for name in SUITE]
    known = several[0]
    kept = Samples.load(HERE / "samples.npz")
    for name in registry.names("formats"):
        plugin = registry.report_format(name)
        for what, text in (("run", plugin.render(known, kept)), ("suite", plugin.render_suite(several))):
            (HERE / "golden" / f"{what}.{name}").write_text(without_drawings(text), encoding="utf-8")
    for name in registry.names("extracts"):
        (HERE / "golden" / f"run.{name}").write_text(registry.extract(name).render([known]), encoding="utf-8")
        (HERE / "golden" / f"suite.{name}").write_text(registry.extract(name).render(several), encoding="utf-8")
    (HERE / "golden" / "result.schema.json").write_text(json.dumps(json_schema(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "COLUMNS"):
        os.environ.pop(name, None)
    main()
