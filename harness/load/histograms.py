"""Latency histograms that merge without loss: HDR, microseconds, three significant digits."""

from __future__ import annotations

import numpy as np

from harness.samples import Samples

HIGHEST_US = 100_000_000
"""Highest trackable value; failed and unsent requests are recorded at it, so that they count as over every limit."""


def latency_histograms(samples: Samples) -> dict[str, str]:
    """Target -> base64 of its encoded HdrHistogram over the judged windows."""
    from hdrh.histogram import HdrHistogram

    encoded = {}
    for target in samples.targets:
        histogram = HdrHistogram(1, HIGHEST_US, 3)
        latency_us = np.clip(samples.judged(target).latency_ms * 1e3, 1, HIGHEST_US).round().astype(np.int64)
        for value, count in zip(*np.unique(latency_us, return_counts=True), strict=True):
            histogram.record_value(int(value), int(count))
        encoded[target] = histogram.encode().decode("ascii")
    return encoded
