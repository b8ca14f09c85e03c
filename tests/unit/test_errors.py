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
