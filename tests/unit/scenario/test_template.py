from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from harness.scenario import TEMPLATE, ExternalTarget, Load, Scenario, Serve, Traffic

Loads = Callable[..., list[Scenario]]


def test_the_template_is_valid_as_it_is(loads: Loads) -> None:
    (scenario,) = loads(TEMPLATE)
    assert scenario.traffic == Traffic()
    assert scenario.serve == Serve()
    assert scenario.load == Load()


def test_the_template_shows_every_key_of_the_scenarios_own_blocks() -> None:
    for model in (Scenario, Serve, Traffic, Load, ExternalTarget):
        for key in model.model_fields:
            assert re.search(rf"^[ #]*{key}:", TEMPLATE, re.MULTILINE), key


def uncommented(text: str) -> str:
    return re.sub(r"^# ?", "", text, flags=re.MULTILINE)


def test_the_commented_blocks_are_valid_too(loads: Loads, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MSLR_DIR", "/data")
    shown = re.search(r"^# vars:.*?\n\n", TEMPLATE, re.MULTILINE | re.DOTALL)
    own_data = re.search(r"^# data:.*?\n\n", TEMPLATE, re.MULTILINE | re.DOTALL)
    target = re.search(r"^# target:.*?\n\n", TEMPLATE, re.MULTILINE | re.DOTALL)
    assert shown is not None
    assert target is not None
    assert own_data is not None
    assert len(loads(TEMPLATE.replace(shown[0], uncommented(shown[0])))) == 4
    (own,) = loads(uncommented(own_data[0]) + "name: q\nsla: {p99_ms: 5}\n")
    assert own.data.options["train"] == "/data/Fold1/train.txt"
    (asked,) = loads(uncommented(target[0]) + "name: q\ntraffic: {n_features: 136}\nsla: {p99_ms: 5}\n")
    assert asked.target.adapter.kind == "oip"
