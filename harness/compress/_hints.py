"""What a teacher knows beside its scores: hidden layers of a network, leaves of an ensemble, as a few numbers per row.

Both are projected on the principal components of a sample of training rows, so that memory grows by `n_hints` numbers
per row, whatever the size of the teacher.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from harness.errors import ModelError
from harness.protocols import Compression
from harness.ranking_data import Features
from harness.trees.pruning.sampled import spaced_rows

if TYPE_CHECKING:
    from harness.trees.forest import Forest

Hints = NDArray[np.float32]

_SAMPLE_ROWS = 20_000
_BLOCK_ROWS = 16_384


def hidden_hints(work: Compression, x: Features, n_hints: int) -> Hints:
    """The middle hidden layer of a network teacher for rows x, (n, n_hints) at most.

    (FitNets, Romero et al., ICLR 2015.) ModelError for any other teacher.
    """
    from harness.mlp import artefacts
    from harness.mlp.trainee import Trainee
    from harness.mlp.transform import Transformer

    manifest = work.teacher.manifest
    if manifest.format != "mlp" or not manifest.meta.get("hidden"):
        raise _no_hints("hidden", f"the teacher is a {manifest.format} bundle without hidden layers", "leaves or none")
    import torch

    model = artefacts.load(work.teacher)
    network, apply = Trainee.of(model.layers).eval(), Transformer(model.transform)
    place = len(model.hidden) // 2

    def layer(rows: Features) -> NDArray[np.float32]:
        with torch.inference_mode():
            values: NDArray[np.float32] = network(apply(rows))[1][place].numpy()
            return values

    sample = layer(spaced_rows(work.splits.train.features, _SAMPLE_ROWS))
    mean = sample.mean(axis=0)
    _, _, axes = np.linalg.svd(sample - mean, full_matrices=False)
    return _projected(x, lambda rows: (layer(rows) - mean) @ axes[:n_hints].T)


def leaf_hints(work: Compression, x: Features, n_hints: int, seed: int) -> Hints:
    """Principal components of the one-hot leaf indicators of a tree teacher for rows x, (n, n_hints) at most.

    (Leaf embeddings as what a network learns from trees: DeepGBM, Ke et al., KDD 2019; PCA in place of their trained
    embedding.) ModelError for any other teacher.
    """
    from scipy.sparse.linalg import LinearOperator, svds

    from harness.trees import artefacts

    if work.teacher.manifest.format != "trees":
        raise _no_hints("leaves", f"the teacher is a {work.teacher.manifest.format} bundle", "hidden or none")
    forest = artefacts.load(work.teacher)
    if forest.n_leaves == len(forest.trees):
        raise _no_hints("leaves", "no tree of the teacher has a split", "none")
    sample = _indicators(forest, spaced_rows(work.splits.train.features, _SAMPLE_ROWS))
    mean = np.asarray(sample.mean(axis=0)).ravel()

    def times(v: Any) -> Any:
        return sample @ v - mean @ v

    def transposed(u: Any) -> Any:
        return sample.T @ u - np.multiply.outer(mean, u.sum(axis=0))

    centred = LinearOperator(
        sample.shape, matvec=times, matmat=times, rmatvec=transposed, rmatmat=transposed, dtype=np.float64
    )
    n_kept = min(n_hints, min(sample.shape) - 1)
    _, _, axes = svds(centred, k=n_kept, rng=np.random.default_rng(seed))
    largest = np.abs(axes).argmax(axis=1)
    axes *= np.sign(axes[np.arange(n_kept), largest])[:, None]  # a singular vector's sign is arbitrary
    return _projected(x, lambda rows: _indicators(forest, rows) @ axes.T - mean @ axes.T)


def _indicators(forest: Forest, x: Features) -> Any:
    """One-hot leaves of all trees, sparse (n, nodes of all trees)."""
    from scipy.sparse import csr_array

    from harness.trees.traverse import leaf_indices

    first = np.cumsum([0, *(tree.n_nodes for tree in forest.trees)])
    columns = (leaf_indices(forest, x) + first[:-1, None]).T.ravel()
    n_trees = len(forest.trees)
    bounds = np.arange(0, columns.size + 1, n_trees)
    return csr_array((np.ones(columns.size), columns, bounds), shape=(x.shape[0], first[-1]))


def _projected(x: Features, project: Callable[[Features], NDArray[Any]]) -> Hints:
    """All rows, block by block, scaled to a mean square of 1."""
    hints: Hints = np.concatenate([project(block).astype(np.float32) for block in _blocks(x)])
    return hints / np.float32(np.sqrt(np.square(hints).mean()) or 1.0)


def _blocks(x: Features) -> Iterator[Features]:
    return (x[start : start + _BLOCK_ROWS] for start in range(0, x.shape[0], _BLOCK_ROWS))


def _no_hints(asked: str, why: str, instead: str) -> ModelError:
    return ModelError(f"hints: {asked} can't be had, for {why}", where="distil_mlp", remedy=f"set hints: {instead}")
