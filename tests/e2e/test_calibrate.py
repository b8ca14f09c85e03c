"""The noise floor, measured for real, and a later run that carries it."""

import json

import pytest


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.usefixtures("no_orphans")
def test_a_calibration_is_kept_and_shown_beside_the_sla_of_later_runs(cli, tmp_path, monkeypatch):
    """Two rates of the search, which has tests of its own, are enough."""
    monkeypatch.setattr("harness.pipeline.calibrate._MOST_STEPS", 2)
    cli.cache = tmp_path / "cache"
    scenario = cli.scenario("gentle", traffic={"offered_qps": 1500}, sla={"p50_ms": 1000})
    done = cli("calibrate", scenario, "--window-s", 1, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    measure = found["measure"]
    assert measure["n_planned"] == measure["n_ok"] > 10
    assert 0 < measure["round_trip_ms"]["p50"] <= measure["latency_ms"]["p50"]
    assert found["traffic"]["n_candidates"] == 20
    assert found["scenario"] == "gentle"
    first, second = (rate["offered_qps"] for rate in found["rates"])
    assert first == 1500
    assert second in (750, 3000)
    assert found["send_lag_limit_ms"] == 100
    run = cli("run", cli.scenario(sla={"p50_ms": 1000}))
    assert "Noise floor p50" in run.stdout
    carried = cli.result()["measurements"]["calibration"]
    assert carried == found
    assert "no-calibration" not in run.stdout
