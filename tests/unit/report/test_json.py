import json
import math

import jsonschema
import pytest

from harness.records import SCHEMA_VERSION, Report
from harness.report import json as json_format

VARIANTS = ("pass", "fail", "inconclusive", "invalid", "unanswered", "no-teacher", "incomplete", "hostile")


def strict(text):
    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refuse)


@pytest.mark.parametrize("name", VARIANTS)
def test_output_is_strict_fits_the_schema_and_reads_back(report_of, name):
    report = report_of(name)
    text = json_format.render(report, None)
    jsonschema.validate(strict(text), json_format.json_schema(), cls=jsonschema.Draft202012Validator)
    again = Report.model_validate_json(text)
    assert again.model_dump_json() == text
    assert repr(again) == repr(report)


def test_non_finite_floats_come_back_as_floats(report_of):
    report = report_of("unanswered")
    facts = {"nan": math.nan, "nested": [{"inf": math.inf}, -math.inf], "word": "nan"}
    measurements = report.measurements.model_copy(update={"environment": facts})
    text = json_format.render(report.model_copy(update={"measurements": measurements}), None)
    strict(text)
    back = Report.model_validate_json(text)
    assert repr(back.measurements.environment) == repr(facts)
    assert back.measures[1].latency_ms["p99"] == math.inf
    assert back.verdict.objectives[0].headroom == -math.inf


def test_the_schema_is_itself_strict_json_and_valid():
    schema = json_format.json_schema()
    strict(json.dumps(schema, allow_nan=False))
    jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize(
    ("place", "value"), [("verdict", "FINE"), ("measures", [{"target": "compressed"}]), ("name", None)]
)
def test_the_schema_refuses_what_is_not_a_report(report_of, place, value):
    document = strict(json_format.render(report_of("pass"), None)) | {place: value}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, json_format.json_schema())


def test_a_newer_version_with_more_keys_still_reads(report_of):
    document = strict(json_format.render(report_of("pass"), None)) | {"novelty": 1}
    assert Report.model_validate(document).name == "feed-25ms"


def test_a_newer_schema_is_refused_by_number(report_of):
    document = strict(json_format.render(report_of("pass"), None)) | {"schema_version": SCHEMA_VERSION + 1}
    with pytest.raises(ValueError, match=f"reads up to {SCHEMA_VERSION}: install a newer one"):
        Report.model_validate(document)


def test_results_of_old_still_load_and_render(sample_dir):
    for file in sorted((sample_dir / "old").glob("*.json")):
        report = Report.model_validate_json(file.read_bytes())
        assert report.verdict.status == "INVALID"
        jsonschema.validate(strict(json_format.render(report, None)), json_format.json_schema())


def test_suite_holds_every_report_and_its_version(report_of):
    suite = strict(json_format.render_suite([report_of("pass"), report_of("fail")]))
    assert suite["schema_version"] == SCHEMA_VERSION
    assert [report["verdict"]["status"] for report in suite["reports"]] == ["PASS", "FAIL"]
