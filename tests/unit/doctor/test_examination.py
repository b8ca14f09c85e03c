import json

import pytest
from click.testing import CliRunner

from harness.cli import harness
from harness.doctor import Check, examine, moment, summary


def test_a_machine_is_examined_without_changing_it(machine, tmp_path):
    checks = list(examine(tmp_path / "cache", tmp_path / "results", machine.kernel, machine.a_second_with()))
    looked_at = [check.what for check in checks]
    assert len(looked_at) == len(set(looked_at))
    assert {"cores", "CPU quota", "memory", "cache", "C compiler", "libraries", "calibration"} <= set(looked_at)
    assert all(check.mark == "ok" or (check.effect and check.remedy) for check in checks)
    assert not (tmp_path / "cache").exists()
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("marks", "words"),
    [
        ({"a": "ok"}, "Nothing here stands in the way"),
        (
            {"a": "ok", "b": "warn", "c": "warn"},
            "steadier or better known but for: b, c",
        ),
        ({"a": "bad", "b": "warn"}, "could not be trusted, because of: a."),
    ],
)
def test_the_summary_names_what_matters_most(marks, words):
    assert words in summary([Check(what=what, value="", mark=mark) for what, mark in marks.items()])


@pytest.fixture
def doctor(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(moment, "_LOOK_S", 0.01)
    return lambda *arguments: CliRunner().invoke(harness, ["doctor", *arguments], standalone_mode=False)


def test_the_command_says_how_each_thing_is_and_what_to_do(doctor):
    sentence, empty, *lines = doctor().output.splitlines()
    assert sentence.endswith(".")
    assert not empty
    said = [" ".join(line.split()) for line in lines]
    assert said[said.index("warn calibration none") + 2] == "-> harness calibrate (about a minute)"


def test_the_exit_code_is_1_only_for_what_spoils_figures(doctor, tmp_path):
    found = json.loads(doctor("--json").output)
    assert doctor().return_value == int(any(check["mark"] == "bad" for check in found["checks"]))
    (tmp_path / "file").write_text("")
    spoilt = doctor("--out", "file/results")
    assert spoilt.return_value == 1
    assert "bad  results" in spoilt.output
