from __future__ import annotations

import pytest
from pydantic import ValidationError

from harness.scenario import Scenario, Sla, quantile_of


@pytest.mark.parametrize(
    ("objective", "quantile"), [("p50_ms", 0.5), ("p99_ms", 0.99), ("p999_ms", 0.999), ("p99999_ms", 0.99999)]
)
def test_percentile_objectives_name_their_quantile(objective: str, quantile: float) -> None:
    assert quantile_of(objective) == quantile


@pytest.mark.parametrize("name", ["p9_ms", "p00_ms", "p99", "p99_s", "pp99_ms", "error_rate"])
def test_other_names_have_no_quantile(name: str) -> None:
    with pytest.raises(ValueError, match="percentile"):
        quantile_of(name)


def test_objectives_are_ordered_percentiles_first() -> None:
    sla = Sla(error_rate=0.01, p999_ms=40, p9999_ms=80, p50_ms=5)
    assert list(sla.objectives) == ["p50_ms", "p999_ms", "p9999_ms", "error_rate"]


@pytest.mark.parametrize("limits", [{}, {"p99_ms": None}, {"p99_ms": float("nan")}, {"p97_ms": float("inf")}])
def test_an_sla_without_a_usable_objective_is_refused(limits: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        Sla(**limits)


def test_a_scenario_is_frozen() -> None:
    scenario = Scenario(name="a", sla=Sla(p99_ms=25))
    with pytest.raises(ValidationError):
        scenario.name = "b"


@pytest.mark.parametrize("name", ["p100_ms", "p0_ms", "p00_ms", "p5_ms", "p990_ms"])
def test_a_percentile_that_could_be_misread_is_refused(name):
    with pytest.raises(ValidationError, match="unknown objective"):
        Sla.model_validate({name: 10})
