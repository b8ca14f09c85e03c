"""Which files the site sends."""

import pytest

from harness.site.files import file_of, headers, path_of


@pytest.fixture
def root(tmp_path):
    inside, outside = tmp_path / "results", tmp_path / "outside"
    (inside / "run").mkdir(parents=True)
    outside.mkdir()
    for file in (inside / "run" / "report.html", inside / "run" / "result.json", outside / "secret.html"):
        file.write_text("x")
    for name in ("samples.npz", "locust.log", "model.txt", ".hidden.html"):
        (inside / "run" / name).write_text("x")
    (inside / "run" / "to-file.html").symlink_to(outside / "secret.html")
    (inside / "to-folder").symlink_to(outside)
    (inside / "run" / "within.html").symlink_to(inside / "run" / "report.html")
    return inside


@pytest.mark.parametrize("path", ["/run/report.html", "/run/result.json", "//run//report.html", "/run/within.html"])
def test_pages_and_results_are_sent(root, path):
    assert file_of(root, path_of(path)) is not None


@pytest.mark.parametrize(
    "path",
    [
        "/", "/run", "/run/none.html", "/run/samples.npz", "/run/locust.log", "/run/model.txt", "/run/.hidden.html",
        "/../outside/secret.html", "/run/../../outside/secret.html", "/%2e%2e/outside/secret.html",
        "/run/..%2f..%2foutside/secret.html", "/run/to-file.html", "/to-folder/secret.html", "/run\\report.html",
        "/run/report.html%00", "/history.sqlite", "/" + "a" * 5000 + ".html",
    ],
)  # fmt: skip
def test_all_else_is_as_if_it_were_not_there(root, path):
    assert file_of(root, path_of(path)) is None


def test_pages_of_runs_are_boxed_and_ask_no_one():
    known = headers("text/html", own=False)["Content-Security-Policy"]
    assert "sandbox allow-scripts" in known
    assert "default-src 'none'" in known
    assert "connect-src" not in known
    assert headers("text/html", own=True)["X-Content-Type-Options"] == "nosniff"
