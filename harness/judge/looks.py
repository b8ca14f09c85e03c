"""When a run that may go on is judged, and how much of the error probability each look may spend.

With `traffic.extend_to_s` a run is judged after its window, after twice and four times that, and so on to the end, and
stops as soon as it is decided. Looking more often would raise the error rate, so the looks share one alpha: the look
at a time t may have spent alpha * (t / end)^2 in all (the power family of Kim and DeMets, Biometrika 1987, which keeps
most for the end). The shares add up to alpha, so the union bound holds whatever the looks have in common.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.judge.shares import ALPHA
from harness.scenario import Traffic

_POWER = 2


@dataclass(frozen=True)
class Look:
    """One judging of a run: the judged time per target by then, and the alpha that its bounds may use."""

    window_s: float
    alpha: float


def looks(traffic: Traffic) -> tuple[Look, ...]:
    """The looks that are planned for a run; a single one where it may not go on."""
    end_s = traffic.extend_to_s or traffic.window_s
    times = [traffic.window_s]
    while times[-1] < end_s:
        doubled = 2 * times[-1]
        times.append(doubled if 1.5 * doubled <= end_s else end_s)
    spent = [ALPHA * (t / end_s) ** _POWER for t in times]
    return tuple(Look(t, now - before) for t, now, before in zip(times, spent, [0.0, *spent], strict=False))


def look_at(traffic: Traffic, window_s: float) -> Look:
    """The look that a judged time of `window_s` per target has reached; the first where it is shorter."""
    planned = looks(traffic)
    return next((look for look in reversed(planned) if look.window_s <= window_s + 1e-6), planned[0])
