import json

import pytest
from drawings import without_drawings

from harness import registry
from harness.report.json import json_schema

REMEDY = "look at the difference, then run tests/sample_report/make.py"


@pytest.mark.parametrize("name", registry.names("formats"))
def test_rendering_is_the_golden_one(name, sample_dir, report_of, samples):
    golden = sample_dir / "golden"
    plugin = registry.report_format(name)
    report = report_of("pass")
    run = without_drawings(plugin.render(report, samples))
    assert run == (golden / f"run.{name}").read_text(encoding="utf-8"), REMEDY
    several = [report_of(one) for one in ("pass", "truncated", "tiny", "invalid", "target")]
    suite = without_drawings(plugin.render_suite(several))
    assert suite == (golden / f"suite.{name}").read_text(encoding="utf-8"), REMEDY


@pytest.mark.parametrize("name", registry.names("extracts"))
def test_an_extract_is_the_golden_one(name, sample_dir, report_of):
    golden, plugin = sample_dir / "golden", registry.extract(name)
    several = [report_of(one) for one in ("pass", "truncated", "tiny", "invalid", "target")]
    assert plugin.render(several[:1]) == (golden / f"run.{name}").read_text(encoding="utf-8"), REMEDY
    assert plugin.render(several) == (golden / f"suite.{name}").read_text(encoding="utf-8"), REMEDY


def test_the_published_schema_is_the_golden_one(sample_dir):
    golden = (sample_dir / "golden" / "result.schema.json").read_text(encoding="utf-8")
    assert json.dumps(json_schema(), indent=1) + "\n" == golden, REMEDY
