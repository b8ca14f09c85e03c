import click
import pytest
from click.testing import CliRunner

from harness.cli import harness
from harness.cli.bench import _Lengths


@pytest.mark.parametrize(("text", "lengths"), [("1,100", (1, 100)), ("500, 20,500", (20, 500))])
def test_lengths_are_whole_numbers_each_once_in_order(text, lengths):
    assert _Lengths().convert(text, None, None) == lengths


@pytest.mark.parametrize("text", ["", "0", "1,,2", "ten", "-1", "100001"])
def test_other_lengths_are_refused(text):
    with pytest.raises(click.UsageError, match="no list of whole numbers"):
        _Lengths().convert(text, None, None)


def test_keys_can_only_be_set_in_a_scenario(tmp_path):
    (tmp_path / "mine.txt").write_text("tree", encoding="utf-8")
    result = CliRunner().invoke(harness, ["bench", str(tmp_path / "mine.txt"), "--set", "a=1"], standalone_mode=False)
    assert "changes the keys of a scenario" in str(result.exception)
