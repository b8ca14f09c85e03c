from harness import registry
from harness.records import Finding
from harness.report import _bought, _ledger, _objectives, _suite
from harness.report._view import view


def cells(table):
    return {row[0]: row[1:] for row in table.rows}


def test_what_compression_bought_leaves_out_what_nobody_measured(report_of):
    bought = cells(_bought.table(report_of("pass")))
    assert bought["p99 latency"] == ("193 ms", "6.16 ms", "31× lower")
    assert bought["size on disk"] == ("914 kB", "216 kB", "4.2× smaller")
    assert bought["packed bits per node"] == ("51.3", "19.6", "2.6× fewer")
    assert bought["NDCG@10"] == ("0.4213", "0.4192", "0.0021 lost, at most 0.0043 with 95 % confidence")
    assert "parameters" not in bought


def test_without_a_teacher_under_load_its_figures_are_dashes(report_of):
    table = _bought.table(report_of("no-teacher"))
    assert cells(table)["p99 latency"] == ("–", "6.16 ms", "")
    assert cells(table)["size on disk"] == ("914 kB", "216 kB", "4.2× smaller")
    assert "not load-tested" in table.note


def test_an_engine_alone_is_told_as_such_with_the_capacity_of_both_sides(report_of):
    report = report_of("uncompressed")
    table = _bought.table(report)
    assert (table.title, table.columns) == (
        "What the engine bought: native → tl2cgen",
        ("", "native", "tl2cgen", "change"),
    )
    assert cells(table)["capacity within the SLA"][2] == "4.1× higher"
    assert cells(table)["last rate passed, first failed"] == ("63.0, 108", "158, 270", "")
    assert "nodes" not in cells(table), "both sides are the same model"
    shown = view(report)
    assert [search.title for search in shown.searches] == [
        "Capacity of the ranker behind native", "Capacity of the ranker behind tl2cgen",
    ]  # fmt: skip
    assert {f.target for f in shown.findings if f.name == "invalid-points"} == {"teacher", "compressed"}
    assert "capacity within the SLA" in [row[0] for row in shown.highlights]


def test_a_control_that_does_as_well_is_named_so(report_of):
    run = report_of("pass").measurements
    worse, _, as_well = _ledger.remarks(run.ledger, run.ndcg)
    assert "does worse (−0.0131 between them, −0.0155 to −0.0107 with 95 %" in worse
    assert "prune_leaves earns its place" in worse
    assert "does as well, as far as 1,200 query groups can tell" in as_well
    assert list(_ledger.nulls(run.ledger)) == ["truncate (keep 71) does as well as quantise"]


def test_a_control_that_does_better_is_a_null_too(report_of):
    run = report_of("pass").measurements
    row = run.ledger[2]
    worse = row.against_control.model_copy(update={"drop_lower": 0.001, "drop_upper": 0.002})
    better = row.model_copy(update={"against_control": worse})
    (said,) = _ledger.remarks((better,), run.ndcg)
    assert "does better" in said
    assert list(_ledger.nulls((better,))) == ["truncate (keep 71) does better than prune_leaves (max_nodes 9000)"]


def test_a_record_of_old_without_a_paired_comparison_claims_none(report_of):
    run = report_of("pass").measurements
    old = run.ledger[2].model_copy(update={"against_control": None})
    (said,) = _ledger.remarks((old,), run.ndcg)
    assert "was not compared with it query group by query group" in said
    assert not list(_ledger.nulls((old,)))


def test_quality_says_what_the_bounds_mean_at_the_margin(report_of):
    rows = cells(view(report_of("pass")).quality)
    assert rows["quantise"][-2] == "non-inferior"
    assert rows["↳ control: truncate (keep 71)"][-2:] == ("non-inferior", "1,200")
    assert "served by tl2cgen (quantize True)" not in rows
    assert not view(report_of("uncompressed")).quality.rows


def test_a_gate_that_nothing_met_fails_the_run_and_is_said(report_of):
    report = report_of("gate-missed")
    assert report.verdict.status == "FAIL"
    assert all(objective.status == "PASS" for objective in report.verdict.objectives)
    (finding,) = (finding for finding in view(report).findings if finding.name == "gate-not-met")
    assert "nothing smaller than its input" in finding.message
    assert "0.0112 NDCG lost" in finding.message


def test_open_bounds_and_no_headroom(report_of):
    report = report_of("unanswered")
    p99 = cells(_objectives.table(report.verdict, report.measurements.ndcg))["p99"]
    assert p99[2:5] == ("not answered", "–", "none")


def test_suite_row_of_a_run_that_measured_nothing(report_of):
    table = _suite.table([report_of("incomplete")])
    assert table.rows[0][1] == "INVALID"
    assert len(table.rows[0]) == len(table.columns)
    assert _suite.summary([report_of("pass"), report_of("fail"), report_of("pass")]) == "3 scenarios: 2 PASS, 1 FAIL"
    assert _suite.summary([]) == "0 scenarios"


def test_an_incomplete_run_says_so_with_its_failure(report_of):
    shown = view(report_of("incomplete"))
    assert shown.alarm.startswith("Incomplete run: server exited with status -9.")
    assert view(report_of("pass")).alarm == ""


def test_every_row_is_as_wide_as_its_table(report_of):
    shown = view(report_of("pass"))
    for table in (shown.objectives, shown.bought, shown.ledger, shown.quality, *shown.facts):
        assert {len(row) for row in table.rows} == {len(table.columns)}, table.title


def test_facts_name_seeds_digests_and_unknown_figures(report_of):
    facts = {table.title: cells(table) for table in view(report_of("pass")).facts}
    assert facts["Seeds and digests"]["scenario.traffic.seed"] == ("11",)
    assert facts["Seeds and digests"]["bundle served as compressed"] == ("04" * 32,)
    assert facts["Environment"]["clock_drift_ppm"] == ("–",)
    assert "governor" not in facts["Environment"]


def test_the_noise_floor_stands_beside_the_sla(report_of):
    report = report_of("pass")
    assert view(report).objectives.note.startswith(
        "Noise floor p99 0.430 ms, 1.72 % of the SLA, measured 2 days before"
    )
    unknown = report.measurements.model_copy(update={"calibration": None})
    assert view(report.model_copy(update={"measurements": unknown})).objectives.note == ""
    tables = {table.title: table for table in view(report).facts}
    assert cells(tables["Noise floor"])["latency"] == ("0.272 ms", "0.430 ms", "0.516 ms")
    assert "honest (p99 send lag within 0.500 ms) up to 1,600 requests per second" in tables["Noise floor"].note


def test_the_machine_during_the_run_by_target(report_of):
    tables = {table.title: table for table in view(report_of("pass")).facts}
    machine = cells(tables["Machine during the run"])
    assert machine["teacher"][:2] == ("24", "1.7 | 31.0 %")
    assert machine["compressed"][1] == "0.4 | 0.4 %"
    assert machine["compressed"][-1] == "2.40 ms"
    assert "Machine during the run" not in {table.title for table in view(report_of("incomplete")).facts}


def test_a_finding_tells_its_figure_and_threshold_once(report_of):
    report = report_of("invalid")
    late = Finding(name="send-lag", message="late", remedy="r", figure=3.06, threshold=2.5, unit="ms")
    busy = Finding(name="foreign-cpu", message="busy", remedy="r", figure=0.062, threshold=0.05, unit="share")
    run = report.measurements.model_copy(update={"findings": (late,)})
    verdict = report.verdict.model_copy(update={"findings": (late, busy)})
    found = view(report.model_copy(update={"measurements": run, "verdict": verdict})).findings
    assert [f.message for f in found] == ["late (3.06 ms, threshold 2.50 ms)", "busy (6.20 %, threshold 5.00 %)"]


def test_a_target_stands_alone(report_of):
    shown = view(report_of("target"))
    assert shown.bought.title == "The target under load"
    assert cells(shown.bought)["p99 latency"] == ("6.16 ms",)
    assert shown.highlights == (("p99 latency", "", "6.16 ms", ""),)
    assert not shown.ledger.rows
    assert "Nothing to compare with: target." in shown.audits.note
    assert cells(_suite.table([report_of("target")]))["endpoint"][1] == "2.86 ms"


def test_the_audit_says_how_many_answers_were_wrong_and_by_how_much(report_of):
    answers = cells(view(report_of("wrong-answers")).audits)
    assert answers["compressed"] == ("1,500", "1,500", "256", "15", "3.1e-01", "8.0e-06", "0.4198", "0.4198")
    assert answers["teacher"][3:5] == ("0", "0")


def test_what_makes_a_run_fail_says_so_in_every_format(report_of):
    for name in ("terminal", "markdown", "html"):
        assert "makes the run FAIL" in registry.report_format(name).render(report_of("wrong-answers"), None)
