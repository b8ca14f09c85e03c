"""How often do the intervals of `harness compare` hold the true ratio? Simulated pairs of M/M/1 queues.

    python tests/benchmarks/compare_coverage.py --pairs 400

Both sides get the same arrivals in a round, as in a comparison. The ratio of any percentile is that of the spare rates,
(mu_A - lambda) / (mu_B - lambda). Also printed: how wide the intervals are, and how often an answer is wrong.
"""

from __future__ import annotations

import argparse

import numpy as np
from queues import sojourns_s

from harness.judge.compare import Round, differences

RATE = 200.0
WARM_UP_S = 0.5
MIN_EFFECT = 0.05


def pair(rng: np.random.Generator, service_rates: tuple[float, float], n_rounds: int, round_s: float) -> list[Round]:
    """The rounds of one comparison."""
    rounds = []
    for _ in range(n_rounds):
        gaps_s = rng.exponential(1 / RATE, int(RATE * (round_s + WARM_UP_S) * 1.5 + 50))
        due_s = np.cumsum(gaps_s)
        judged = (due_s >= WARM_UP_S) & (due_s < WARM_UP_S + round_s)
        latencies_s = [sojourns_s(gaps_s, rng.exponential(1 / rate, gaps_s.size)) for rate in service_rates]
        rounds.append(Round(*(1e3 * latency_s[judged] for latency_s in latencies_s)))
    return rounds


def main() -> None:
    """Simulate and print one row per case and percentile."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=400, help="comparisons per case (default 400)")
    n_pairs = parser.parse_args().pairs
    print(f"{n_pairs} comparisons per case, {RATE:g} requests/s, minimum effect {MIN_EFFECT:.0%}")
    print("rounds  round  use A  use B  ratio  percentile  covered  half width  wrong answer  undecided")
    for n_rounds, round_s in ((10, 3.0), (20, 1.5), (40, 1.5)):
        for rates in ((400.0, 400.0), (400.0, 384.0), (400.0, 320.0), (267.0, 267.0)):
            rng = np.random.default_rng(1)
            truth = (rates[0] - RATE) / (rates[1] - RATE)
            right = "no difference" if truth <= 1 + MIN_EFFECT else "A faster"
            found = [d for _ in range(n_pairs) for d in differences(pair(rng, rates, n_rounds, round_s), MIN_EFFECT)]
            for name in ("p50", "p99"):
                own = [d for d in found if d.percentile == name]
                covered = np.mean([d.ratio_lower <= truth <= d.ratio_upper for d in own])
                half = np.mean([d.ratio_upper / d.ratio - 1 for d in own])
                undecided = np.mean([d.answer == "undecided" for d in own])
                wrong = np.mean([d.answer not in ("undecided", right) for d in own])
                print(
                    f"{n_rounds:6}  {round_s:3.1f} s  {RATE / rates[0]:5.0%}  {RATE / rates[1]:5.0%}  {truth:5.2f}  "
                    f"{name:10}  {covered:7.1%}  {half:10.1%}  {wrong:12.1%}  {undecided:9.1%}"
                )


if __name__ == "__main__":
    main()
