import pytest
from click.testing import CliRunner

from harness.cli import harness
from harness.cli.capacity import capacity_code
from harness.cli.compare import comparison_code
from harness.records import Measurements
from harness.studies import Capacity, Comparison, Difference

MEASURED = Measurements(tool_version="0", created="", command="", scenario={}, environment={})


def compared(*answers):
    rest = dict.fromkeys((name for name in Difference.model_fields if name.endswith(("_ms", "ratio", "er"))), 1.0)
    differences = tuple(Difference(**{**rest, "percentile": "p50", "answer": answer}) for answer in answers)
    return Comparison(
        name="x", measurements=MEASURED, sides={}, min_effect=0.05, n_rounds=20, differences=differences
    )  # fmt: skip


@pytest.mark.parametrize(
    ("answers", "code", "where_slower_fails"),
    [
        (["no difference", "B faster"], 0, 0),
        (["A faster", "no difference"], 0, 1),
        (["A faster", "undecided"], 4, 1),
        (["B faster", "undecided"], 4, 4),
        ([], 4, 4),
    ],
)
def test_exit_codes_of_a_comparison(answers, code, where_slower_fails):
    assert comparison_code(compared(*answers)) == code
    assert comparison_code(compared(*answers), fail_if_slower=True) == where_slower_fails


@pytest.mark.parametrize(
    ("lower", "upper", "code"), [(100, 200, 0), (0, 200, 4), (100, float("inf"), 4), (0, float("inf"), 4)]
)
def test_exit_codes_of_a_capacity(lower, upper, code):
    found = Capacity(name="x", measurements=MEASURED, budget_s=150, lower_qps=lower, upper_qps=upper)
    assert capacity_code(found) == code


@pytest.fixture
def invoke(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run-without-bundle").mkdir()
    (tmp_path / "several.yaml").write_text(
        "name: s\nsla: {p99_ms: 1}\nmatrix:\n  traffic.offered_qps: [1, 2]\n", encoding="utf-8"
    )
    (tmp_path / "idle.yaml").write_text("name: s\nsla: {size_mb: 1}\n", encoding="utf-8")
    (tmp_path / "closed.yaml").write_text("name: s\ntraffic: {arrival: closed}\nsla: {p99_ms: 9}\n", encoding="utf-8")
    return lambda *arguments: CliRunner().invoke(harness, arguments, standalone_mode=False)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["compare", "a", "b"], "neither side says which requests to send"),
        (["compare", "a", "b", "--scenario", "idle.yaml"], "A a: is no bundle, scenario file, URL or run directory"),
        (["compare", "run-without-bundle", "idle.yaml"], "run directory with a bundle that could be measured again"),
        (["compare", "a@fale", "idle.yaml"], "did you mean 'fake'"),
        (["compare", "a", "b", "--min-effect", "five"], "is no share below 1"),
        (["capacity", "several.yaml"], "holds 2 scenarios"),
        (["capacity", "idle.yaml"], "no rate is too high for it"),
        (["capacity", "closed.yaml"], "closed arrival has no rate to search"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(invoke, arguments, message):
    result = invoke(*arguments)
    assert message in str(result.exception)


@pytest.mark.parametrize(("text", "share"), [("5%", 0.05), ("5 %", 0.05), ("0.1", 0.1), (".1", 0.1), ("0", 0.0)])
def test_shares(text, share):
    from harness.cli.compare import Share

    assert Share().convert(text, None, None) == pytest.approx(share)
