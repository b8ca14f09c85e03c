"""The index holds nothing that the files do not, whatever happens to it."""

import os
import sqlite3
import stat

import pytest

from harness.history.index import INDEX, indexed
from harness.pipeline.capacity import Capacity
from harness.records import Report


def runs(found):
    return [point.run for point in found.points]


def test_points_are_those_of_the_files_oldest_first_with_the_bounds_of_their_verdicts(tmp_path, add_run):
    add_run(3)
    folder = add_run(1)
    found = indexed(tmp_path)
    assert runs(found) == ["feed-25ms-2026-01-01", "feed-25ms-2026-01-03"]
    report = Report.model_validate_json((folder.path / "result.json").read_bytes())
    judged = next(result for result in report.verdict.objectives if result.name == "p99_ms")
    figure = found.points[0].figure("p99_ms")
    assert (figure.value, figure.lower, figure.upper) == (judged.measured, judged.lower, judged.upper)
    last = report.measurements.ledger[-1]
    assert found.points[0].figure("size_mb").value == last.size.disk_bytes / 1e6
    assert found.points[0].figure("ndcg_drop").upper == last.quality.drop_upper
    assert not found.points[0].figure("capacity_qps").known
    assert found.points[0].machine["cores"] == report.measurements.environment["cores"]
    assert (found.problems, found.notes) == ((), ())


def test_deleting_the_index_loses_nothing_and_a_second_reading_says_the_same(tmp_path, add_run):
    add_run(1)
    add_run(2)
    first = repr(indexed(tmp_path))
    assert repr(indexed(tmp_path)) == first
    (tmp_path / INDEX).unlink()
    assert repr(indexed(tmp_path)) == first


def test_files_are_read_again_only_where_they_changed(tmp_path, add_run):
    file = add_run(1).path / "result.json"
    before = indexed(tmp_path)
    with sqlite3.connect(tmp_path / INDEX) as index:
        index.execute("UPDATE runs SET status = 'from the index'")
    assert indexed(tmp_path).points[0].status == "from the index"
    os.utime(file, ns=(1, 1))
    assert indexed(tmp_path).points[0].status == "from the index", "its digest is the same"
    report = Report.model_validate_json(file.read_bytes())
    file.write_text(report.model_copy(update={"name": "other"}).model_dump_json())
    assert [point.name for point in indexed(tmp_path).points] == ["other"]
    assert before.points[0].name == "feed-25ms"


def test_a_run_that_is_gone_is_gone_from_the_index(tmp_path, add_run):
    add_run(1)
    gone = add_run(2).path / "result.json"
    assert len(indexed(tmp_path).points) == 2
    gone.unlink()
    assert runs(indexed(tmp_path)) == ["feed-25ms-2026-01-01"]


@pytest.mark.parametrize("damage", [b"not a database at all, but of its length" * 50, b"SQLite format 3\0" * 90])
def test_a_damaged_index_is_made_anew_and_that_is_said(tmp_path, add_run, damage):
    add_run(1)
    (tmp_path / INDEX).write_bytes(damage)
    found = indexed(tmp_path)
    assert len(found.points) == 1
    assert "made anew from the files" in found.notes[0]
    assert indexed(tmp_path).notes == ()


def test_an_index_of_another_version_is_made_anew_and_that_is_said(tmp_path, add_run):
    add_run(1)
    with sqlite3.connect(tmp_path / INDEX) as index:
        index.execute("CREATE TABLE runs (anything)")
        index.execute("PRAGMA user_version = 99")
    found = indexed(tmp_path)
    assert len(found.points) == 1
    assert "of another version" in found.notes[0]


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes where nobody may")
def test_where_nothing_can_be_written_the_index_is_in_memory(tmp_path, add_run):
    add_run(1)
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        found = indexed(tmp_path)
    finally:
        tmp_path.chmod(stat.S_IRWXU)
    assert len(found.points) == 1
    assert "in memory" in found.notes[0]


def test_an_index_that_someone_holds_is_left_alone(tmp_path, add_run, monkeypatch):
    add_run(1)
    (tmp_path / INDEX).mkdir()
    found = indexed(tmp_path)
    assert len(found.points) == 1
    assert "in memory" in found.notes[0]


def test_damaged_results_are_named_and_do_not_hide_the_others(tmp_path, add_run):
    add_run(1)
    (add_run(2).path / "result.json").write_text("{")
    found = indexed(tmp_path)
    assert runs(found) == ["feed-25ms-2026-01-01"]
    assert found.problems[0].startswith("feed-25ms-2026-01-02/result.json: damaged: ")


def test_a_capacity_search_is_a_point_too_and_links_are_not_followed(tmp_path, add_run, sample_report):
    root = tmp_path / "results"
    root.mkdir()
    (root / "search").mkdir()
    searched = Capacity(
        name="feed-25ms", measurements=sample_report.measurements, budget_s=9, lower_qps=100, upper_qps=400
    )
    (root / "search" / "capacity.json").write_text(searched.model_dump_json())
    (root / "elsewhere").symlink_to(add_run(1).path)
    (point,) = indexed(root).points
    assert (point.kind, point.name) == ("capacity", "feed-25ms")
    figure = point.figure("capacity_qps")
    assert (figure.value, figure.lower, figure.upper) == (200, 100, 400), "the middle, where there is no estimate"
