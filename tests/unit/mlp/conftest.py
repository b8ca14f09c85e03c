"""Networks with random weights, for what does not depend on training."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from harness.mlp.model import Layer, MlpModel
from harness.mlp.transform import InputTransform

N_FEATURES = 7


@pytest.fixture
def random_model() -> Callable[..., MlpModel]:
    """`random_model(16, 8)`: a network of those hidden widths over 7 features, of which two have indicators."""

    def build(*hidden: int) -> MlpModel:
        rng = np.random.default_rng(3)
        widths = (N_FEATURES + 2, *hidden, 1)
        layers = tuple(
            Layer(
                rng.normal(0, n_in**-0.5, (n_out, n_in)).astype(np.float32),
                rng.normal(0, 0.1, n_out).astype(np.float32),
            )
            for n_in, n_out in pairwise(widths)
        )
        scale = rng.uniform(0.5, 2, N_FEATURES).astype(np.float32)
        transform = InputTransform(scale, -scale / 2, np.array([1, 4]))
        return MlpModel(transform, layers)

    return build


@pytest.fixture
def candidates() -> np.ndarray:
    """(300, 7) float32 with heavy tails, missing values and infinities."""
    rng = np.random.default_rng(4)
    x = (rng.normal(size=(300, N_FEATURES)) * 10 ** rng.uniform(-2, 4, N_FEATURES)).astype(np.float32)
    x[rng.random(x.shape) < 0.05] = np.nan
    x[5, 2], x[6, 2] = np.inf, -np.inf
    return x
