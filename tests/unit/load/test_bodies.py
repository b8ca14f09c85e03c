"""Encoded bodies decode back to what was drawn, from the file that the load process maps."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from harness.load.bodies import open_bodies, write_bodies
from harness.load.candidates import candidate_lists
from harness.oip import decode_request, header_length
from harness.ranking_data import Splits
from harness.scenario.block import Choice
from harness.scenario.traffic import Traffic


@pytest.mark.parametrize("encoding", ["binary", "json"])
def test_bodies_decode_to_the_same_features(
    splits: Splits, tmp_path: Path, encoding: Literal["binary", "json"]
) -> None:
    lists = candidate_lists(splits.test, Traffic(n_candidates=None, n_bodies=20))
    adapter = Choice.model_validate({"kind": "oip", "encoding": encoding})
    assert write_bodies(lists, splits.test.feature_names, adapter, tmp_path) == 20
    bodies = open_bodies(tmp_path)
    assert len(bodies) == 20
    np.testing.assert_array_equal(bodies.n_candidates, [x.shape[0] for x in lists])
    for i, x in enumerate(lists):
        head, body = bodies.head(i, "/v2/models/m/infer", "127.0.0.1:80"), bytes(bodies.body(i))
        start, *lines = head.decode().removesuffix("\r\n\r\n").split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        assert start == "POST /v2/models/m/infer HTTP/1.1"
        assert headers["Host"] == "127.0.0.1:80"
        assert int(headers["Content-Length"]) == len(body)
        decoded = decode_request(header_length(headers), body, splits.test.n_features, 1000)
        np.testing.assert_array_equal(decoded.x, x)
