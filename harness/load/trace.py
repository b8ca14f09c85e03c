"""A recorded arrival file: the times at which real requests came, to be replayed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from harness.errors import LoadError
from harness.ranking_data import Floats
from harness.scenario.traffic import Traffic

NO_TRACE: Floats = np.empty(0)
_REMEDY = "give one arrival time in seconds per line (a heading is fine), or a .npy file with a vector of them"


def read_trace(traffic: Traffic) -> Floats:
    """The file's arrival times, sorted, in seconds from the first one; empty where the traffic replays none.

    LoadError, with the line where there is one, for what is not a finite number, for fewer than two arrivals, and for
    arrivals that all come at once.
    """
    if traffic.arrivals is None:
        return NO_TRACE
    path = traffic.arrivals.expanduser()
    try:
        times_s = _vector(path) if path.suffix == ".npy" else _lines(path)
    except (OSError, ValueError, EOFError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise LoadError(f"can't be read: {reason}", where=str(path), remedy="correct traffic.arrivals") from error
    times_s.sort()
    if times_s.size < 2 or times_s[0] == times_s[-1]:
        raise LoadError(
            f"holds {times_s.size} arrivals within 0 s, which is no traffic to replay", where=str(path), remedy=_REMEDY
        )
    times_s -= times_s[0]
    return times_s


def _vector(path: Path) -> Floats:
    values = np.load(path, allow_pickle=False)
    if values.ndim != 1 or values.dtype.kind not in "iuf":
        raise LoadError(f"holds {values.dtype} of shape {values.shape}", where=str(path), remedy=_REMEDY)
    times_s: Floats = values.astype(np.float64)
    if not np.isfinite(times_s).all():
        index = int(np.flatnonzero(~np.isfinite(times_s))[0])
        raise LoadError(f"element {index} is {times_s[index]}", where=str(path), remedy=_REMEDY)
    return times_s


def _lines(path: Path) -> Floats:
    times_s: list[float] = []
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            text = line.strip().removesuffix(",")
            try:
                time_s = float(text)
            except ValueError:
                time_s = float("nan")
            if np.isfinite(time_s):
                times_s.append(time_s)
            elif text and number > 1:
                raise LoadError(f"{text[:40]!r} is not a time in seconds", where=f"{path}:{number}", remedy=_REMEDY)
    return np.array(times_s)
