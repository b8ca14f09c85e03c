"""Which INVALID runs are worth another attempt."""

import inspect
import pkgutil
from importlib import import_module

import pytest

import harness.judge
from harness.judge.disturbances import DISTURBANCES, disturbed_by
from harness.records import Finding, Verdict, VerdictStatus


def verdict_of(*names: str, status: VerdictStatus = VerdictStatus.INVALID) -> Verdict:
    found = [Finding(name=name, message="", remedy="", hard=True) for name in names]
    told = Finding(name="no-calibration", message="", remedy="")
    return Verdict(status=status, findings=(told, *found))


@pytest.mark.parametrize(
    ("verdict", "names"),
    [
        (verdict_of("steal", "send-lag", "steal"), ("steal", "send-lag")),
        (verdict_of("steal", "answers-differ"), ()),
        (verdict_of("too-few-samples"), ()),
        (verdict_of(), ()),
        (verdict_of("steal", status=VerdictStatus.FAIL), ()),
    ],
)
def test_only_what_a_quieter_moment_mends_is_tried_again(verdict, names):
    assert disturbed_by(verdict) == names


def test_every_disturbance_is_a_finding_of_the_judge():
    modules = [import_module(f"harness.judge.{module.name}") for module in pkgutil.iter_modules(harness.judge.__path__)]
    source = "".join(inspect.getsource(module) for module in modules if not module.__name__.endswith(".disturbances"))
    assert {name for name in DISTURBANCES if f'"{name}"' not in source} == set()
