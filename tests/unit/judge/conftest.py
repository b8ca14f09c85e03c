"""Queues simulated request by request, as the samples that a load test of them would leave."""

from collections.abc import Callable

import numpy as np
import pytest
from queues import sojourns_s

from harness.records import LoadInfo
from harness.samples import Samples


def columns(target: int, segment: int, due_s: np.ndarray, latency_s: np.ndarray, warm_up_s: float) -> dict:
    n = due_s.size
    return {
        "target": np.full(n, target, np.int16), "segment": np.full(n, segment, np.int16),
        "in_window": due_s >= warm_up_s, "due_s": due_s, "sent_s": due_s + 5e-5, "done_s": due_s + latency_s,
        "status": np.full(n, 200, np.int16), "n_candidates": np.ones(n, np.int32), "body": np.zeros(n, np.int32),
    }  # fmt: skip


@pytest.fixture(scope="session")
def mm1_samples() -> Callable[..., Samples]:
    """`mm1_samples(rng, rate, service_rate, window_s, warm_up_s=2)`: one target, `compressed`."""

    def simulate(rng, rate, service_rate, window_s, warm_up_s=2.0):
        n = int(rate * (window_s + warm_up_s) + 6 * (rate * (window_s + warm_up_s)) ** 0.5 + 10)
        gaps, services = rng.exponential(1 / rate, n), rng.exponential(1 / service_rate, n)
        due = np.cumsum(gaps)
        latency = sojourns_s(gaps, services)
        inside = due < window_s + warm_up_s
        return Samples(("compressed",), **columns(0, 0, due[inside], latency[inside], warm_up_s))

    return simulate


@pytest.fixture(scope="session")
def mm1_pairs() -> Callable[..., Samples]:
    """`mm1_pairs(rng, rate, (rate of A, rate of B), n_rounds, round_s)`: A and B get the same due times in a round."""

    def simulate(rng, rate, service_rates, n_rounds, round_s, warm_up_s=0.5):
        parts = []
        n = int(rate * (round_s + warm_up_s) * 1.5 + 50)
        for round_ in range(n_rounds):
            gaps = rng.exponential(1 / rate, n)
            due = np.cumsum(gaps)
            inside = due < round_s + warm_up_s
            for place in (0, 1) if round_ % 2 == 0 else (1, 0):
                services = rng.exponential(1 / service_rates[place], n)
                latency = sojourns_s(gaps, services)
                segment = 2 * round_ + len(parts) % 2
                parts.append(columns(place, segment, due[inside], latency[inside], warm_up_s))
        return Samples(("A", "B"), **{name: np.concatenate([part[name] for part in parts]) for name in parts[0]})

    return simulate


@pytest.fixture(scope="session")
def load_info() -> Callable[[float], LoadInfo]:
    return lambda rate: LoadInfo(schedule_sha256="", arrival="poisson", offered_qps=rate, n_planned=0)
