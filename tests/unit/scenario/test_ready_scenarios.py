"""Every file in scenarios/ validates; where its data lie is up to the environment."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from harness.scenario import json_schema, load

FOLDER = Path(__file__).resolve().parents[3] / "scenarios"
FILES = sorted(FOLDER.rglob("*.y*ml"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(FOLDER)))
def test_a_ready_scenario_is_valid(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in re.findall(r"\$\{([A-Z]\w*)\}", "".join(f.read_text(encoding="utf-8") for f in FILES)):
        monkeypatch.setenv(name, "/somewhere")
    content = YAML(typ="safe", pure=True).load(file)
    if "name" in content:
        assert load([file])
        assert list(Draft202012Validator(json_schema()).iter_errors(content)) == []
    elif "suite" in content:
        assert len(load([file])) > 1
    else:
        assert any(file.name in other.read_text(encoding="utf-8") for other in FILES if other != file)
