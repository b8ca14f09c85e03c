"""Fixtures that every test may use: small real ranking data, and bundles built by the real plug-ins."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from harness import registry
from harness.bundle import Bundle, seal
from harness.protocols import Training
from harness.ranking_data import RankingData, Splits
from harness.records import NdcgSpec

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
SMALL_RANKERS: dict[str, dict[str, object]] = {
    "lightgbm": {"n_trees": 20, "n_leaves": 12, "min_rows_per_leaf": 5},
    "xgboost": {"n_trees": 20, "max_depth": 4},
    "mlp": {"hidden": [16, 8], "epochs": 2},
}


def small_split(name: str, n_groups: int, seed: int, n_features: int = 12) -> RankingData:
    """Groups of 5 to 30 candidates; missing values, a constant feature, integers; grades from a product of features."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(5, 31, n_groups)
    x = rng.normal(size=(int(sizes.sum()), n_features)).astype(np.float32)
    x[:, 3] = rng.poisson(2, x.shape[0])
    x[:, 4] = 1.0
    signal = x[:, 0] + x[:, 1] * x[:, 2] + 0.3 * x[:, 3]
    x[rng.random(x.shape[0]) < 0.2, 5] = np.nan
    x[rng.random(x.shape[0]) < 0.1, 0] = np.nan
    noise = rng.normal(scale=0.5, size=x.shape[0])
    grades = np.digitize(signal + noise, np.quantile(signal, [0.5, 0.8, 0.93, 0.98])).astype(np.int32)
    names = tuple(f"f{i}" for i in range(n_features))
    return RankingData(name, x, grades, sizes.astype(np.int64), names).checked()


@pytest.fixture(scope="session")
def splits() -> Splits:
    return Splits(small_split("train", 80, 1), small_split("valid", 40, 2), small_split("test", 40, 3)).checked()


@pytest.fixture(scope="session")
def teacher(splits: Splits, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Bundle]:
    """`teacher("lightgbm")`: a small trained bundle of that ranker, built once per test session."""
    built: dict[str, Bundle] = {}

    def build(kind: str) -> Bundle:
        if kind not in built:
            plugin = registry.ranker(kind)
            out = tmp_path_factory.mktemp(f"teacher-{kind}")
            work = Training(splits, out, 1, NdcgSpec(), lambda _: None)
            built[kind] = seal(out, plugin.train(plugin.Options(**SMALL_RANKERS[kind]), work), origin={"kind": kind})
        return built[kind]

    return build


@pytest.fixture(scope="session")
def engine_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where engines keep what they compile, for all tests that are not about compiling."""
    return tmp_path_factory.mktemp("engine-cache")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The real data sets, where this machine has them."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"the real data sets are not beside the checkout ({SHARED_DATA.name}/ absent)")
    return SHARED_DATA


@dataclass(frozen=True)
class Certificate:
    """PEM files of a server for 127.0.0.1 and 127.0.0.2, and of the authority that vouches for it alone."""

    ca: Path
    chain: Path
    key: Path


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A self-made authority and a certificate by it, from the openssl program."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("the program openssl, which makes the certificates of this test, is not installed")
    folder = tmp_path_factory.mktemp("tls")

    def run(*arguments: str) -> None:
        subprocess.run([openssl, *arguments], cwd=folder, check=True, capture_output=True)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    usage = ("-addext", "keyUsage=critical,keyCertSign")
    run("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=authority of a test", *usage)
    run("req", *key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=server of a test")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1,IP:127.0.0.2")
    signing = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names")
    run("x509", "-req", "-in", "server.csr", "-out", "server.pem", *signing)
    return Certificate(folder / "ca.pem", folder / "server.pem", folder / "server.key")


Answerer = Callable[[str, str, Mapping[str, str], bytes], tuple[int, dict[str, str], bytes]]
"""(method, path, headers by their names in lower case, body) -> (status, headers, body)."""


@pytest.fixture
def serve_http() -> Iterator[Callable[..., str]]:
    """`serve_http(answer, certificate=None, host="127.0.0.1")`: a real HTTP server of that behaviour; its base URL."""
    servers = []

    def start(answer: Answerer, certificate: Certificate | None = None, host: str = "127.0.0.1") -> str:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1

            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                known = {name.lower(): value for name, value in self.headers.items()}
                status, headers, content = answer(self.command, self.path, known, body)
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(content))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_POST = do_GET

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_: object) -> None:
                """A client that gives up, or refuses the certificate, is what some tests are about."""

        server = Server((host, 0), Handler)
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate.chain, certificate.key)
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        servers.append((server, thread))
        return f"{'https' if certificate else 'http'}://{host}:{server.server_port}"

    yield start
    for server, thread in servers:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def free_port() -> int:
    """A port of 127.0.0.1 where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
