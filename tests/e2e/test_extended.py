"""A run that goes on by itself until it is decided, with the fake engine, whose verdict is known in advance."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from harness.answers import Answers
from harness.samples import Samples

pytestmark = [pytest.mark.alone, pytest.mark.usefixtures("no_orphans")]

END_S = 60
FAKE = {"kind": "fake", "mean_ms": 1}
TRAFFIC = {"offered_qps": 100, "n_candidates": 2, "warm_up_s": 0.3, "window_s": 1, "rounds": 2}


def parts_of(run_dir: Path) -> list[Samples]:
    """The samples of each part, as the load process wrote them."""
    return [Samples.load(path) for path in sorted(run_dir.glob("load*/samples.npz"))]


def test_an_open_run_goes_on_and_stops_once_it_is_decided(cli) -> None:
    """25 requests are too few for any verdict, 50 can't show it at the alpha of the second of seven looks."""
    traffic = TRAFFIC | {"offered_qps": 25, "extend_to_s": END_S}
    done, run_dir, result = cli.run_undisturbed(cli.scenario(engine=FAKE, sla={"p90_ms": 500}, traffic=traffic))
    assert (done.returncode, result["verdict"]["status"]) == (0, "PASS"), done.stderr
    load, samples, parts = result["measurements"]["load"], Samples.load(run_dir / "samples.npz"), parts_of(run_dir)

    for judged_s in (1, 2):
        assert f"not decided after {judged_s} s: going on to {2 * judged_s} s" in done.stderr
    assert 4 <= load["window_s"] < END_S
    assert len(parts) == 1 + round(np.log2(load["window_s"]))
    assert len(samples) == load["n_planned"] == sum(map(len, parts))
    assert result["measures"][0]["n_planned"] == samples.in_window.sum()
    assert np.unique(samples.segment).tolist() == list(range(2 * len(parts)))
    assert len(load["segment_start_s"]) == 2 * len(parts)
    assert load["segment_start_s"] == sorted(load["segment_start_s"])
    assert load["complete"]

    due = [samples.due_s[samples.segment == segment] for segment in (0, 2)]
    n = min(map(len, due))
    assert not np.isclose(due[0][:n], due[1][:n]).any(), "the second part must not send the first one's arrivals again"
    answers = [Answers.load(path) for path in sorted(run_dir.glob("load*/answers.npz"))]
    (audit,) = result["measurements"]["audits"]
    assert audit["n_answers"] == len(samples)
    assert audit["n_distinct"] >= max(map(len, answers))

    again = cli("judge", run_dir, "--json")
    assert json.loads(again.stdout)["verdict"] == result["verdict"]


def test_a_run_that_is_decided_at_once_does_not_go_on(cli, ends_in) -> None:
    done = cli("run", cli.scenario(engine=FAKE, sla={"p50_ms": 0.5}, traffic={**TRAFFIC, "extend_to_s": 60}))
    assert cli.ended(done, 1), done.stderr
    ends_in(cli.result(), "FAIL")
    assert cli.result()["measurements"]["load"]["window_s"] == 1
    assert len(parts_of(cli.only_run())) == 1
