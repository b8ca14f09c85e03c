"""The input transform: sign(x) * log1p(|x|), standardised, clipped, with indicators of missing values.

log1p tames heavy-tailed counts (Zhuang et al., "Feature transformation for neural ranking models", SIGIR 2020).
A missing value becomes 0, the mean; an infinity becomes the clip, as does any value further out than CLIP standard
deviations, so that no input can overflow and the int8 kernels keep a narrow range.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from harness.ranking_data import Features

CLIP = 8.0
"""Standard deviations at which standardised inputs are clipped."""

_BLOCK_ROWS = 16_384
_LOG_LIMIT = float(np.log1p(np.finfo(np.float32).max))


@dataclass(frozen=True)
class InputTransform:
    """Of log features y: clip(y * scale + shift), then a 0/1 column for each feature of `missing`.

    scale, shift: (n_features,) float32, both 0 for features that never vary; missing: (n_indicators,) int64.
    """

    scale: NDArray[np.float32]
    shift: NDArray[np.float32]
    missing: NDArray[np.int64]

    @property
    def n_features(self) -> int:
        """Columns it takes."""
        return int(self.scale.size)

    @property
    def n_inputs(self) -> int:
        """Columns it gives."""
        return self.n_features + int(self.missing.size)


class Transformer:
    """An `InputTransform` as tensors, ready to be applied."""

    def __init__(self, transform: InputTransform) -> None:
        self._scale = torch.tensor(transform.scale)
        self._shift = torch.tensor(transform.shift)
        self._missing = torch.tensor(transform.missing)

    def __call__(self, x: Features) -> torch.Tensor:
        """Network inputs (n, n_inputs) float32 of features x (n, n_features) float32, which stay as they are."""
        raw = torch.from_numpy(x.copy())  # a copy, for x may be read-only
        inputs = signed_log(raw)
        torch.addcmul(self._shift, inputs, self._scale, out=inputs)
        inputs.nan_to_num_(0.0, CLIP, -CLIP).clamp_(-CLIP, CLIP)
        if not self._missing.numel():
            return inputs
        return torch.cat((inputs, raw.index_select(1, self._missing).isnan().float()), dim=1)


def signed_log(x: torch.Tensor) -> torch.Tensor:
    """sign(x) * log1p(|x|), elementwise; NaN and infinities stay."""
    return x.abs().log1p_().copysign_(x)


def fit_transform(x: Features) -> InputTransform:
    """Mean and standard deviation of each log feature over its present values, and which features have missing ones.

    Infinities count as the largest float32.
    """
    n_features = x.shape[1]
    count, total, squares = (np.zeros(n_features) for _ in range(3))
    for start in range(0, x.shape[0], _BLOCK_ROWS):
        logs = signed_log(torch.tensor(x[start : start + _BLOCK_ROWS])).double()
        present = ~logs.isnan()
        logs.nan_to_num_(0.0, _LOG_LIMIT, -_LOG_LIMIT)
        count += present.sum(0).numpy()
        total += logs.sum(0).numpy()
        squares += logs.square().sum(0).numpy()
    mean = total / np.maximum(count, 1)
    variance = squares / np.maximum(count, 1) - mean**2
    varies = variance > 1e-10 * (1 + mean**2)
    scale = np.where(varies, 1 / np.sqrt(np.where(varies, variance, 1)), 0.0)
    missing = np.flatnonzero(count < x.shape[0]).astype(np.int64)
    return InputTransform(scale.astype(np.float32), (-mean * scale).astype(np.float32), missing)
