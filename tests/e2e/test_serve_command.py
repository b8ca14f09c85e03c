"""`harness serve` serves a run's bundle, or what a scenario builds, until it is interrupted."""

import re
import signal
import urllib.request

import numpy as np
import pytest

from harness import oip
from harness.cache import Cache
from harness.pipeline.prepare import built
from harness.scenario import load_one
from harness.scoring import score


@pytest.mark.usefixtures("no_orphans")
@pytest.mark.parametrize("what", ["bundle", "scenario"])
def test_scores_over_http_are_those_of_the_bundle(cli, what):
    scenario = cli.scenario()
    _, steps = built(load_one(scenario), Cache(cli.cache), lambda _: None)
    bundle = steps[-1].bundle
    process = cli.start("serve", bundle.path if what == "bundle" else scenario, "--port", "0")
    url = next(match[0] for line in process.stderr if (match := re.search(r"http://\S+/infer", line)))
    x = np.random.default_rng(0).normal(size=(7, bundle.manifest.n_features)).astype(np.float32)
    body, headers = oip.encode_request(x, "binary", top_k=3)
    with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=10) as answer:
        scores, order = oip.decode_response(dict(answer.headers), answer.read())
    np.testing.assert_allclose(scores, score(bundle, x), rtol=1e-6)
    assert order.tolist() == np.argsort(-scores, kind="stable")[:3].tolist()
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Traceback" not in stderr
