"""Which finished runs may stand side by side: those of one scenario on one machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.records import Facts, Measurements

MACHINE = ("cpu", "cores", "kernel", "cgroup_cpu_max", "affinity")
"""Keys of `Measurements.environment` by which a latency may differ without any change of what was measured."""
_NOT_MEASURED = ("name", "description", "capacity", "sla")
_LONGEST = 60


def machine_of(run: Measurements) -> Facts:
    """The machine of a run, as far as it is known."""
    return {key: run.environment[key] for key in MACHINE if key in run.environment}


def question_of(run: Measurements) -> Facts:
    """What a run asked, without what changes no figure of it: its name, and the limits it is judged by."""
    asked = {key: value for key, value in run.scenario.items() if key not in _NOT_MEASURED}
    return asked | {"sla": {"ndcg": (run.scenario.get("sla") or {}).get("ndcg")}}


def differences(one: Measurements, other: Measurements) -> tuple[str, ...]:
    """What keeps two runs from being compared, key by key: `machine kernel: 'Linux 6.1' and 'Linux 6.8'`.

    A key that one of them does not have, such as one that an older version did not write, tells nothing.
    """
    return differing(machine_of(one), machine_of(other), question_of(one), question_of(other))


def differing(machine: Facts, other_machine: Facts, question: Facts, other_question: Facts) -> tuple[str, ...]:
    """The same from `machine_of` and `question_of` of both runs."""
    apart = [f"machine {text}" for text in _apart(machine, other_machine, "")]
    return (*apart, *(f"scenario {text}" for text in _apart(question, other_question, "")))


def _apart(one: Any, other: Any, path: str) -> Iterator[str]:
    match one, other:
        case Mapping(), Mapping():
            for key in one:
                if key in other:
                    yield from _apart(one[key], other[key], f"{path}.{key}" if path else str(key))
        case list() | tuple(), list() | tuple() if len(one) == len(other):
            for place, (mine, theirs) in enumerate(zip(one, other, strict=True)):
                yield from _apart(mine, theirs, f"{path}[{place}]")
        case _ if one != other:
            yield f"{path}: {_short(one)} and {_short(other)}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
