"""Which addresses may be asked, and that credentials leave no trace."""

import json
import ssl
from urllib.parse import quote

import pytest

from harness.access import Credentials, address_of, check_access, tls_context, without_credentials
from harness.errors import TargetError
from harness.scenario import Access

SECRET = 'p/ss "w0rd"+=='


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("http://127.0.0.1:8080/v2/models/m/infer", (False, "127.0.0.1", 8080, "127.0.0.1:8080", "/v2/models/m/infer")),
        ("https://localhost/rank?explain=false", (True, "localhost", 443, "localhost", "/rank?explain=false")),
        ("http://[::1]:9/", (False, "::1", 9, "[::1]:9", "/")),
        ("http://127.0.0.2", (False, "127.0.0.2", 80, "127.0.0.2", "/")),
        ("http://127.0.0.1/größe a", (False, "127.0.0.1", 80, "127.0.0.1", "/gr%C3%B6%C3%9Fe%20a")),
    ],
)
def test_loopback_addresses_may_be_asked(url, parts):
    assert tuple(address_of(url, remote=False)) == parts


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "http://192.0.2.1/",
        "https://127.0.0.1.example.com/",
        "http://0x7f.1.example.com/",
        "http://[2001:db8::1]/",
    ],
)
def test_other_hosts_only_by_a_deliberate_word(url):
    with pytest.raises(TargetError, match=r"is not a loopback address\n  -> set target\.remote: true"):
        address_of(url, remote=False)
    assert address_of(url, remote=True).host


@pytest.mark.parametrize(
    "url",
    [
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "127.0.0.1:80/",
        "",
        "http:///x",
        "http://127.0.0.1:port/",
        "http://gr\u00fc\u00df.example/",
    ],
)
def test_no_other_scheme_or_form(url):
    with pytest.raises(TargetError):
        address_of(url, remote=True)


def test_credentials_in_a_url_are_refused_and_not_repeated():
    with pytest.raises(TargetError, match="credentials in a URL") as caught:
        address_of("http://me:hunter2@127.0.0.1/", remote=False)
    assert "hunter2" not in str(caught.value)


def credentials():
    access = Access(headers_env={"X-Api-Key": "KEY"}, bearer_env="TOKEN")
    return Credentials(access, {"KEY": SECRET, "TOKEN": "tok-123"})


def test_headers_come_from_the_environment():
    assert credentials().headers == {"X-Api-Key": SECRET, "Authorization": "Bearer tok-123"}
    assert SECRET not in repr(credentials())
    assert "tok-123" not in repr(credentials())


@pytest.mark.parametrize(
    "echo",
    [
        SECRET,
        "Bearer tok-123",
        json.dumps({"key": SECRET}),
        json.dumps(SECRET).replace("/", "\\/"),
        quote(SECRET, safe=""),
    ],
)
def test_an_echo_of_a_credential_is_hidden(echo):
    known = credentials()
    for text in (known.excerpt(f"no access: {echo}".encode()), known.hidden(echo.encode()).decode()):
        assert "***" in text
        for part in ("tok-123", "w0rd", "p/ss", "p%2Fss"):
            assert part not in text


def test_a_cut_leaves_no_part_of_a_credential():
    for before in range(180, 210):
        assert "tok" not in credentials().excerpt(b"x" * before + b"tok-123 and more")


@pytest.mark.parametrize("value", [None, "", "two\r\nlines", "grün", "\x00"])
def test_a_variable_that_gives_no_header(value):
    environment = {} if value is None else {"TOKEN": value}
    with pytest.raises(TargetError, match="TOKEN") as caught:
        check_access("http://127.0.0.1/", Access(bearer_env="TOKEN"), environment)
    assert not value or value not in str(caught.value)


def test_tls_is_verified_unless_said_otherwise(tmp_path):
    usual = tls_context(Access(), ssl.SSLContext)
    assert (usual.verify_mode, usual.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert tls_context(Access(tls_verify=False), ssl.SSLContext).verify_mode == ssl.CERT_NONE
    (tmp_path / "ca.pem").write_text("no certificate")
    for name in ("ca.pem", "absent.pem"):
        with pytest.raises(TargetError, match="authority's certificate"):
            check_access("https://127.0.0.1/", Access(tls_ca=str(tmp_path / name)), {})


def test_a_message_of_a_tracker_keeps_no_secret_of_the_environment_and_no_password_of_a_url():
    environment = {"WANDB_API_KEY": "abcd1234", "OTEL_EXPORTER_OTLP_HEADERS": "k=v w", "PAGER": "less", "A_TOKEN": "x"}
    said = without_credentials("less of abcd1234 at https://me:pw@host/x?h=k%3Dv%20w and http://host/", environment)
    assert said == "less of *** at https://***@host/x?h=*** and http://host/"
