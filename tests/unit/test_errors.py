import ast
from pathlib import Path

import pytest

from harness import errors
from harness.errors import HarnessError, Problem, ScenarioError, did_you_mean


def test_an_error_says_where_what_and_what_to_do():
    error = HarnessError("is empty", where="data.csv", remedy="give it rows")
    assert str(error) == "data.csv: is empty\n  -> give it rows"
    assert str(HarnessError("no")) == "no"


def test_a_scenario_error_lists_all_problems_with_their_places():
    problems = [Problem("a.yaml", 3, 5, "compress.0.keep", "too big"), Problem("b.yaml", 0, 0, "", "is empty")]
    assert str(ScenarioError(problems)) == "a.yaml:3:5: compress.0.keep: too big\nb.yaml: is empty"


def test_near_misses():
    assert did_you_mean("kep", ["keep", "max_drop"]) == " (did you mean 'keep'? one of: keep, max_drop)"
    assert did_you_mean("zzz", ["keep"]) == " (one of: keep)"
    assert did_you_mean("x", []) == ""


HARNESS = Path(errors.__file__).parent
ROOMS = ("bench", "cli", "compress", "datasets", "doctor", "init", "load", "pipeline", "rankers", "suite", "target")
FAMILY = {name for name in vars(errors) if name.endswith("Error")} - {"ScenarioError", "AnswerError"}
CAUGHT = ("damaged cache entry", "unreadable", "crashed while it was opened", "str(found['error'])")
"""Errors told to the cache, which makes the entry anew, and to the bench, which leaves the engine out."""


@pytest.mark.parametrize("room", ROOMS)
def test_every_error_that_a_user_may_see_says_what_to_do(room):
    raised = [
        (f"{path.relative_to(HARNESS)}:{node.lineno}", node)
        for path in sorted((HARNESS / room).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in FAMILY
    ]
    without = [
        place
        for place, node in raised
        if "remedy" not in {keyword.arg for keyword in node.keywords}
        and not any(words in ast.unparse(node) for words in CAUGHT)
    ]
    assert without == []
