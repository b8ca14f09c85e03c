"""The site sends what a run publishes, and not what lies in its folders."""

import pytest

from harness.site.files import file_of


@pytest.fixture
def root(tmp_path):
    run = tmp_path / "month" / "run"
    (run / "bundle").mkdir(parents=True)
    (run / "load" / "points").mkdir(parents=True)
    for name in ("scenario.yaml", "report.html", "bundle/model.json", "load/machine.jsonl", "load/points/plan.json"):
        (run / name).write_text("x")
    return tmp_path


def test_the_bundle_and_what_the_load_test_wrote_are_not_sent(root):
    assert file_of(root, "/month/run/report.html") is not None
    assert file_of(root, "/month/run/scenario.yaml") is not None
    for name in ("bundle/model.json", "load/machine.jsonl", "load/points/plan.json"):
        assert file_of(root, f"/month/run/{name}") is None


def test_also_where_the_site_is_of_one_run(root):
    run = root / "month" / "run"
    assert file_of(run, "/report.html") is not None
    assert file_of(run, "/bundle/model.json") is None
