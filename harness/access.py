"""Reaching an endpoint safely: which addresses may be asked, TLS, and credentials that leave no trace."""

from __future__ import annotations

import ipaddress
import json
import re
import ssl
from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeVar
from urllib.parse import quote, urlsplit

from harness.errors import TargetError
from harness.scenario.target import Access

HIDDEN = "***"
_EXCERPT_CHARACTERS = 200
_PORTS = {"http": 80, "https": 443}
_READ_BYTES = 65_536
_SECRET = re.compile("KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|HEADERS")
_LEAST_SECRET = 4

Context = TypeVar("Context", bound=ssl.SSLContext)


class Address(NamedTuple):
    """Where a URL leads: `authority` is its host and port as written, `target` its path and query."""

    tls: bool
    host: str
    port: int
    authority: str
    target: str

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]


def address_of(url: str, *, remote: bool) -> Address:
    """The parts of an http(s) URL; TargetError for any other, and for another host than this one unless `remote`."""
    remedy = "give a URL such as http://127.0.0.1:8080/v2/models/NAME/infer"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        parts.netloc.encode("ascii")
    except ValueError as error:
        raise TargetError(f"not a URL to ask: {error}", where=url, remedy=remedy) from error
    if parts.scheme not in _PORTS or not host:
        raise TargetError("only http and https URLs can be asked", where=url, remedy=remedy)
    if parts.username is not None or parts.password is not None:
        where = f"{parts.scheme}://{HIDDEN}@{host}"
        raise TargetError("credentials in a URL", where=where, remedy="use headers_env or bearer_env")
    if not (remote or is_this_machine(host)):
        raise TargetError(
            f"{host} is not a loopback address",
            where=url,
            remedy="set target.remote: true (a command's --remote) where you may load that host",
        )
    path = parts.path or "/"
    target = f"{path}?{parts.query}" if parts.query else path
    if not target.isascii() or any(character <= " " for character in target):
        target = quote(target, safe="/?&=%:;,+@!$'()*~")
    return Address(parts.scheme == "https", host, port or _PORTS[parts.scheme], parts.netloc, target)


def is_this_machine(host: str) -> bool:
    """Whether a host name or address is a loopback one."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def tls_context(access: Access, kind: type[Context]) -> Context:
    """A client's settings as an SSLContext of `kind` (gevent has its own); TargetError for an unreadable `tls_ca`."""
    context = kind(ssl.PROTOCOL_TLS_CLIENT)
    if not access.tls_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif access.tls_ca is None:
        context.load_default_certs()
    else:
        try:
            context.load_verify_locations(access.tls_ca)
        except (OSError, ssl.SSLError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise TargetError(
                f"can't read the authority's certificate: {reason}",
                where=f"tls_ca: {access.tls_ca}",
                remedy="name a file in PEM format",
            ) from error
    return context


class Credentials:
    """Headers whose values come from environment variables; shows none of them, and hides them in other text."""

    def __init__(self, access: Access, environment: Mapping[str, str]) -> None:
        self.headers = {
            name: _value(variable, environment, f"headers_env: {name}") for name, variable in access.headers_env.items()
        }
        secrets = list(self.headers.values())
        if access.bearer_env is not None:
            token = _value(access.bearer_env, environment, "bearer_env")
            self.headers["Authorization"] = f"Bearer {token}"
            secrets.append(token)
        self._forms = sorted({form for secret in secrets for form in _forms(secret)}, key=len, reverse=True)

    def __repr__(self) -> str:
        return f"Credentials({', '.join(self.headers)})"

    def hidden(self, text: bytes) -> bytes:
        """The text with every credential in it replaced, also where it is escaped as in JSON or a URL."""
        for form in self._forms:
            text = text.replace(form, HIDDEN.encode())
        return text

    def excerpt(self, body: bytes) -> str:
        """How an answer begins, for a message; hidden before it is cut, so that no part of a credential is left."""
        return self.hidden(body[:_READ_BYTES]).decode("utf-8", "replace")[:_EXCERPT_CHARACTERS]


def check_access(url: str, access: Access, environment: Mapping[str, str]) -> None:
    """TargetError where a URL may not be asked, a credential is missing, or `tls_ca` is unreadable."""
    if address_of(url, remote=access.remote).tls:
        tls_context(access, ssl.SSLContext)
    Credentials(access, environment)


def without_credentials(text: str, environment: Mapping[str, str]) -> str:
    """The text without the user and password of any URL in it, and without the value of any variable of the environment
    that is named like a secret."""
    text = re.sub(r"(\w://)[^/\s@]+@", rf"\1{HIDDEN}@", text)
    secrets = [value for name, value in environment.items() if _SECRET.search(name) and len(value) >= _LEAST_SECRET]
    for form in sorted((form.decode() for secret in secrets for form in _forms(secret)), key=len, reverse=True):
        text = text.replace(form, HIDDEN)
    return text


def _value(variable: str, environment: Mapping[str, str], where: str) -> str:
    value = environment.get(variable, "")
    if not value:
        remedy = f"export {variable} before the run"
        raise TargetError(f"the environment variable {variable} is not set", where=where, remedy=remedy)
    if not value.isprintable() or not value.isascii():
        raise TargetError(
            f"the environment variable {variable} holds what no header can carry",
            where=where,
            remedy="set it to printable ASCII without line ends",
        )
    return value


def _forms(secret: str) -> Iterable[bytes]:
    """Ways in which an answer may repeat a secret."""
    escaped = json.dumps(secret)[1:-1]
    return (form.encode() for form in (secret, escaped, escaped.replace("/", "\\/"), quote(secret, safe="")))
