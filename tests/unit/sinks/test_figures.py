import math

from harness.records import Report
from harness.sinks._figures import figures, settings


def report_of(sample_dir, name):
    return Report.model_validate_json((sample_dir / "reports" / f"{name}.json").read_bytes())


def test_figures_are_finite_and_named_by_their_target(sample_dir):
    found = {figure.key: figure.value for figure in figures(report_of(sample_dir, "pass"))}
    assert {"compressed/p99_ms", "teacher/p99_ms", "compressed/ndcg_drop", "sla/p99_ms/headroom"} <= set(found)
    lost = list(figures(report_of(sample_dir, "unanswered")))
    assert all(math.isfinite(figure.value) for figure in lost)
    assert next(figure.value for figure in lost if figure.key == "compressed/error_rate") > 0
    assert list(figures(report_of(sample_dir, "incomplete"))), "what was measured before it stopped is there"
    assert any(figure.target == "target" for figure in figures(report_of(sample_dir, "target")))


def test_settings_tell_the_verdict_and_every_key_of_the_scenario(sample_dir):
    about = settings(report_of(sample_dir, "pass"))
    assert about["verdict"] == "PASS"
    assert about["scenario.traffic.offered_qps"]
    assert all(isinstance(value, str) and value for value in about.values())
