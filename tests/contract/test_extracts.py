"""What every extract keeps to, whoever wrote it."""

from pathlib import Path

import pytest

from harness import registry
from harness.records import Report

VARIANTS = {
    path.stem: path
    for path in sorted((Path(__file__).resolve().parents[1] / "sample_report" / "reports").glob("*.json"))
}


@pytest.fixture(params=registry.names("extracts"))
def plugin(request):
    return registry.extract(request.param)


def test_every_way_a_run_can_end_is_told_the_same_each_time(plugin):
    reports = [Report.model_validate_json(path.read_bytes()) for path in VARIANTS.values()]
    for several in ([], reports, *([report] for report in reports)):
        text = plugin.render(several)
        assert plugin.render(several) == text
        text.encode("utf-8")
        assert "\x1b" not in text
        assert "\u202e" not in text


def test_saved_names_do_not_clash_with_those_of_the_formats(plugin):
    others = [registry.report_format(name).SUFFIX for name in registry.names("formats")]
    others += [registry.extract(name).SUFFIX for name in registry.names("extracts")]
    assert others.count(plugin.SUFFIX) == 1
    assert "/" not in plugin.SUFFIX
