"""The site over real HTTP."""

import http.client
import json
import signal
import subprocess
import sys
import threading

import pytest

from harness.errors import ServeError, UsageError
from harness.pipeline.site import site_of


@pytest.fixture
def root(tmp_path):
    (tmp_path / "run-1").mkdir()
    (tmp_path / "run-1" / "report.html").write_text("<!DOCTYPE html><title>a run</title>")
    (tmp_path / "<b>bold").mkdir()
    (tmp_path / "<b>bold" / "report.html").write_text("")
    return tmp_path


@pytest.fixture
def ask(root):
    """`ask(path, method="GET", host=None)`: status, headers, body."""
    site = site_of(root, "127.0.0.1", 0)
    thread = threading.Thread(target=site.serve_forever, args=(0.01,))
    thread.start()

    def asked(path, method="GET", host=None):
        connection = http.client.HTTPConnection("127.0.0.1", site.server_address[1], timeout=10)
        connection.request(method, path, headers={"Host": host} if host else {})
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        return answer.status, dict(answer.getheaders()), body

    yield asked
    site.shutdown()
    site.server_close()
    thread.join()


def test_the_index_links_every_page_and_escapes_names(ask):
    status, headers, body = ask("/")
    assert status == 200
    assert 'href="/run-1/report.html"' in body
    assert 'href="/%3Cb%3Ebold/report.html"' in body
    assert "<b>bold" not in body
    assert "connect-src 'self'" in headers["Content-Security-Policy"]
    assert ask("/%3Cb%3Ebold/report.html")[0] == 200


def test_pages_are_sent_boxed_and_without_a_body_where_none_is_asked(ask):
    status, headers, body = ask("/run-1/report.html")
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "a run" in body
    assert "sandbox" in headers["Content-Security-Policy"]
    status, headers, body = ask("/run-1/report.html", "HEAD")
    assert (status, body) == (200, "")
    assert int(headers["Content-Length"]) > 0


def test_what_is_under_way_is_json_and_history_is_made_on_the_way(ask):
    assert json.loads(ask("/live.json")[2]) == []
    assert ask("/history.html")[0] == 200


@pytest.mark.parametrize(
    ("path", "method", "host", "status"),
    [
        ("/none.html", "GET", None, 404),
        ("/run-1/../../x.html", "GET", None, 404),
        ("/", "POST", None, 501),
        ("/", "DELETE", None, 501),
        ("/", "GET", "example.org", 421),
        ("/", "GET", "example.org:80", 421),
        ("/", "GET", "localhost:1", 200),
        ("/", "GET", "[::1]:1", 200),
    ],
)
def test_nothing_else_is_answered(ask, path, method, host, status):
    assert ask(path, method, host)[0] == status


def test_an_address_that_is_taken_and_a_folder_that_is_not_there_are_told(root, tmp_path):
    with (
        site_of(root, "127.0.0.1", 0) as taken,
        pytest.raises(ServeError, match=r"can't listen: (.|\n)*another --port"),
    ):
        site_of(root, "127.0.0.1", taken.server_address[1])
    with pytest.raises(UsageError, match="no such folder"):
        site_of(tmp_path / "none", "127.0.0.1", 0)


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly(root, by):
    command = [sys.executable, "-m", "harness", "serve-reports", str(root), "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr.readline().startswith("http://127.0.0.1:")
        process.send_signal(by)
        assert process.wait(timeout=30) == 0
        assert process.stderr.read() == "ended\n"
