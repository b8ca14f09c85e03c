"""Arithmetic of layer widths: how many parameters a dense network has, and how narrow one of so many is."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise


def n_parameters(n_inputs: int, hidden: Sequence[int]) -> int:
    """Weights and biases of a dense network with one output."""
    return sum((n_in + 1) * n_out for n_in, n_out in pairwise([n_inputs, *hidden, 1]))


def narrower(hidden: Sequence[int], before: int, after: int) -> list[int]:
    """Hidden widths in the same proportions with `after` parameters at most, one unit per layer at least.

    `before`: the parameters of the dense network of widths `hidden`, which tell how many inputs it has.
    """
    n_inputs = (before - n_parameters(hidden[0], hidden[1:])) // hidden[0] - 1
    candidates = ([max(1, width * percent // 100) for width in hidden] for percent in range(100, 0, -1))
    return next((own for own in candidates if n_parameters(n_inputs, own) <= after), [1] * len(hidden))
