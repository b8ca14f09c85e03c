"""How right the time left was: the estimates of finished runs, replayed from their progress.jsonl.

    python tests/benchmarks/time_left.py results/*/

At every half second of a run: what the live screen said was left, against what was. An estimate counts as right within
20 % of what was left, or 2 s, which is as near as the last seconds are told. Moments at which some stage was still of
unknown length, and the screen said so, are counted apart.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness.cli.time_left import TimeLeft
from harness.events import Event, from_data
from harness.pipeline.recorder import PROGRESS

STEP_S, SHARE, SLACK_S = 0.5, 0.2, 2.0


@dataclass(frozen=True)
class Replay:
    """Moments of one run: s passed, s left as it was said and as it came, and whether all stages were known."""

    at_s: np.ndarray
    said_s: np.ndarray
    left_s: np.ndarray
    known: np.ndarray

    @property
    def right(self) -> np.ndarray:
        return np.abs(self.said_s - self.left_s) <= np.maximum(SHARE * self.left_s, SLACK_S)


def recorded(path: Path) -> list[tuple[float, str | Event]]:
    return [from_data(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def replayed(events: list[tuple[float, str | Event]]) -> Replay:
    """The estimates of a run that came to its end."""
    end_s, time_left, ahead = events[-1][0], TimeLeft(), list(events)
    rows = []
    for at_s in np.arange(0.0, end_s, STEP_S):
        while ahead and ahead[0][0] <= at_s:
            time_left.take(ahead[0][1], ahead.pop(0)[0])
        estimate = time_left.at(at_s)
        if estimate is not None:
            rows.append((at_s, estimate.left_s, end_s - at_s, not estimate.unknown))
    at, said, left, known = map(np.array, zip(*rows, strict=True))
    return Replay(at, said, left, known)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("run_dirs", nargs="+", type=Path)
    print(f"{'run':40} {'took':>7} {'said first':>10} {'known':>6} {'right':>6} {'worst':>8}")
    for run_dir in parser.parse_args().run_dirs:
        replay = replayed(recorded(run_dir / PROGRESS))
        off_s = (replay.said_s - replay.left_s)[replay.known]
        right = f"{replay.right[replay.known].mean():6.0%}" if replay.known.any() else "   -  "
        worst = f"{off_s[np.abs(off_s).argmax()]:+6.1f} s" if replay.known.any() else "   -  "
        took_s, first_s = replay.left_s[0] + replay.at_s[0], replay.said_s[0]
        print(f"{run_dir.name:40} {took_s:5.1f} s {first_s:8.1f} s {replay.known.mean():6.0%} {right} {worst:>8}")


if __name__ == "__main__":
    main()
