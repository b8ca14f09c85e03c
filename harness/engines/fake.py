"""A clock in place of a model: takes a declared service time, so that a verdict can be known in advance.

The score of a candidate is its first feature (0 where missing), so that a ranking is defined; it says nothing of the
bundle. A call ends within some tens of microseconds of its declared time, unless the machine takes the core away.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from harness.bundle import Bundle
from harness.protocols import PluginOptions, Scorer
from harness.ranking_data import Features
from harness.records import Manifest

_SPIN_S = 0.0005  # the scheduler wakes a sleeper late by less than this, mostly


class Options(PluginOptions):
    """Keys of the fake engine."""

    service: Literal["constant", "exponential", "bimodal"] = Field(
        default="constant", description="distribution of the service time"
    )
    mean_ms: float = Field(
        default=5.0, ge=0, le=10_000, description="the time, or its mean, or (bimodal) the time without a stall"
    )
    stall_ms: float = Field(default=50.0, ge=0, le=10_000, description="bimodal: time of a call that stalls")
    stall_share: float = Field(default=0.01, ge=0, le=1, description="bimodal: share of calls that stall")
    seed: int = Field(default=1, ge=0, description="seed of the service times")


def refuses(options: Options, manifest: Manifest) -> str:
    """Any bundle will do, for none is scored."""
    return ""


def open(options: Options, bundle: Bundle, cache_dir: Path) -> Scorer:
    """Start the clock; the bundle stays unread."""
    return ClockScorer(options)


class ClockScorer:
    """Waits out each call's service time on the core it runs on: asleep first, then awake to the microsecond."""

    info: Mapping[str, Any]

    def __init__(self, options: Options) -> None:
        self._options = options
        self._rng = np.random.default_rng(options.seed)
        self.info = {"library": "none: declared service times", "threads": 1, "tolerance": None, **options.model_dump()}

    def score(self, x: Features) -> NDArray[np.float32]:
        """The first feature of each row, NaN as 0, once the service time is over."""
        deadline = time.perf_counter() + self.service_ms() / 1e3
        scores = np.nan_to_num(x[:, 0], nan=0.0, posinf=np.inf, neginf=-np.inf)
        idle = deadline - time.perf_counter() - _SPIN_S
        if idle > 0:
            time.sleep(idle)
        while time.perf_counter() < deadline:
            pass
        return scores

    def service_ms(self) -> float:
        """Draw the next service time in ms."""
        options = self._options
        match options.service:
            case "constant":
                return options.mean_ms
            case "exponential":
                return float(self._rng.exponential(options.mean_ms))
            case "bimodal":
                return options.stall_ms if self._rng.random() < options.stall_share else options.mean_ms
