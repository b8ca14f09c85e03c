"""`harness history` and `harness compare --finished` on real files."""

import json
import re
import shutil
from xml.etree import ElementTree

import pytest

from harness.records import Finding


@pytest.fixture
def five_runs(add_run):
    """Four runs that scatter a little, and a fifth; its slowness is asked for."""

    def made(slower):
        for day, factor in enumerate((1.0, 1.03, 0.98, 1.01, slower), 1):
            add_run(day, factor)

    return made


def test_trends_are_a_table_with_sparklines_and_the_place_beside_the_noise_band(tmp_path, five_runs, invoke):
    five_runs(1.6)
    shown = invoke("history", tmp_path)
    (row,) = [line for line in shown.stdout.splitlines() if line.startswith(" feed-25ms")]
    assert "PASS" in row
    assert " 5 " in row
    assert "above it" in row, "the latency of the newest run"
    assert row.count("within") == 2, "quality and size"
    assert shown.return_value == 0, "nothing was asked about regressions"
    assert "5 runs in 1 series" in shown.stdout


def test_a_regression_fails_and_is_told_with_its_interval(tmp_path, five_runs, invoke):
    five_runs(1.6)
    failed = invoke("history", tmp_path, "--fail-on-regression")
    assert failed.return_value == 1
    assert re.search(r"worse +p50 latency: 1\.\d+ to 1\.\d+ times that of the runs before", failed.stdout)
    found = json.loads(invoke("history", tmp_path, "--fail-on-regression", "--json").stdout)
    (series,) = found["series"]
    assert series["comparison"]["finished"]["n_before"] == 4
    assert {diff["answer"] for diff in series["comparison"]["differences"]} == {"A faster"}


def test_no_regression_passes_and_what_is_not_decided_says_so(tmp_path, five_runs, invoke):
    five_runs(1.01)
    assert invoke("history", tmp_path, "--fail-on-regression", "--min-effect", "40%").return_value == 0
    unsure = invoke("history", tmp_path, "--fail-on-regression", "--min-effect", "0")
    assert unsure.return_value == 4
    assert "undecided" in unsure.stdout


def test_a_single_run_has_nothing_to_be_worse_than(tmp_path, add_run, invoke):
    add_run(1)
    assert invoke("history", tmp_path, "--fail-on-regression").return_value == 0


def test_a_larger_model_is_a_regression_without_any_samples(tmp_path, add_run, invoke, sample_report):
    add_run(1)
    *steps, last = sample_report.measurements.ledger
    size = last.size.model_copy(update={"disk_bytes": 2 * last.size.disk_bytes})
    folder = add_run(2, ledger=(*steps, last.model_copy(update={"size": size})))
    (folder.path / "samples.npz").unlink()
    failed = invoke("history", tmp_path, "--fail-on-regression")
    assert failed.return_value == 1
    assert "size: " in failed.stdout
    assert "holds no finished load test" in " ".join(failed.stdout.split()), "latency is undecided, with the reason"


def test_invalid_runs_are_no_base_and_decide_nothing(tmp_path, add_run, invoke):
    hard = Finding(name="shared-core", message="one core", remedy="two", hard=True)
    add_run(1, 5.0, findings=(hard,))
    alone = add_run(2, findings=(hard,))
    shown = invoke("history", tmp_path, "--fail-on-regression")
    assert shown.return_value == 4
    assert "every run before the newest is INVALID" in shown.stdout
    shutil.rmtree(alone.path)
    add_run(2)
    add_run(3)
    assert invoke("history", tmp_path, "--fail-on-regression", "--min-effect", "40%").return_value == 0
    add_run(4, findings=(hard,))
    assert invoke("history", tmp_path, "--fail-on-regression", "--min-effect", "40%").return_value == 4


def test_runs_of_one_name_on_two_machines_stand_apart_with_the_reason(tmp_path, add_run, invoke):
    add_run(1)
    add_run(2, 3.0, environment={"kernel": "Linux 9"})
    shown = invoke("history", tmp_path, "--fail-on-regression")
    assert shown.return_value == 0, "they are not compared"
    assert "feed-25ms (2)" in shown.stdout
    assert "machine kernel" in shown.stdout
    assert "'Linux 9'" in shown.stdout


def test_the_page_has_charts_bounds_and_links_that_lead_to_the_runs(tmp_path, five_runs, invoke):
    five_runs(1.6)
    out = tmp_path / "pages"
    out.mkdir()
    invoke("history", tmp_path, "--html", out / "history.html")
    page = (out / "history.html").read_text()
    root = ElementTree.fromstring(re.sub(r"(?s)(<script>).*?(</script>)", r"\1\2", page))
    charts = {figure.get("data-chart"): figure for figure in root.iter("figure")}
    assert {"trend-0-p99-ms", "trend-0-ndcg-drop", "trend-0-size-mb"} <= charts.keys()
    assert "2026-01-05 00:00: " in "".join(charts["trend-0-p99-ms"].itertext())
    links = [a.get("href") for a in root.iter("a")]
    assert links[0] == "../feed-25ms-2026-01-05/report.html"


def test_a_scenario_can_be_picked_and_a_wrong_name_is_told(tmp_path, add_run, invoke):
    add_run(1)
    assert "1 run in 1 series" in invoke("history", tmp_path, "--scenario", "feed-25ms").stdout
    failed = invoke("history", tmp_path, "--scenario", "feed-25m")
    assert "no run of a scenario 'feed-25m' (did you mean 'feed-25ms'?" in str(failed.exception)
    assert "no such folder" in str(invoke("history", tmp_path / "none").exception)


def test_text_of_files_cannot_steer_the_terminal_or_the_page(tmp_path, add_run, invoke):
    hostile = "<script>alert(1)</script>\x1b[31m"
    add_run(1)
    add_run(2, environment={"kernel": hostile})
    page = tmp_path / "history.html"
    shown = invoke("history", tmp_path, "--html", page)
    assert "\x1b" not in shown.stdout
    assert "<script>alert" not in page.read_text()
    assert "alert(1)" in page.read_text()


def test_finished_runs_are_compared_from_their_samples(add_run, invoke):
    a, b = add_run(1).path, add_run(2, 2.0).path
    shown = invoke("compare", "--finished", a, b)
    assert shown.return_value == 0
    text = " ".join(shown.stdout.split())
    assert "At p50: A faster (B takes 2.000" in text or "At p50: A faster (B takes 1." in text
    assert "not-interleaved" in text
    assert "Finished runs, not interleaved." in text
    assert invoke("compare", "--finished", "--fail-if-slower", a, b).return_value == 1
    assert sorted(path.name for path in a.parent.iterdir()) == [a.name, b.name], "nothing is written"


def test_runs_that_are_not_alike_are_refused_key_by_key_unless_forced(add_run, invoke, sample_report):
    traffic = sample_report.measurements.scenario["traffic"] | {"offered_qps": 77.0}
    a, b = add_run(1).path, add_run(2, environment={"cores": 64}, scenario={"traffic": traffic}).path
    refused = str(invoke("compare", "--finished", a, b).exception)
    assert "machine cores: 2 and 64" in refused
    assert "scenario traffic.offered_qps: 60.0 and 77.0" in refused
    assert "--force" in refused
    forced = invoke("compare", "--finished", "--force", a, b, "--json")
    assert json.loads(forced.stdout)["finished"]["differing"] == [
        "machine cores: 2 and 64", "scenario traffic.offered_qps: 60.0 and 77.0",
    ]  # fmt: skip
    assert "By force, though the runs are not alike" in invoke("compare", "--finished", "--force", a, b).stdout


def test_options_that_would_do_nothing_and_runs_that_did_not_finish_are_refused(add_run, invoke):
    a, b = add_run(1).path, add_run(2, complete=False, failure="killed").path
    assert "--rounds would do nothing" in str(invoke("compare", "--finished", a, a, "--rounds", 9).exception)
    assert "--force goes with --finished" in str(invoke("compare", "--force", a, b).exception)
    assert "the run did not finish: killed" in str(invoke("compare", "--finished", a, b).exception)
    (a / "samples.npz").unlink()
    assert "holds no finished load test" in str(invoke("compare", "--finished", a, b).exception)
