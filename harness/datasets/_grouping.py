"""From rows as they stand in a file to query groups, and from one split to two."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.errors import DataError
from harness.ranking_data import RankingData


def group_rows(queries: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Row order (n_rows,) that puts the rows of a query together, and the group sizes (n_groups,).

    Groups stand in the order in which their queries first appear, rows within a group in the order of the file.
    """
    if queries.size == 0:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    run_starts = np.flatnonzero(np.concatenate([[True], queries[1:] != queries[:-1]]))
    run_sizes = np.diff(run_starts, append=queries.size)
    _, first_run, query_of_run = np.unique(queries[run_starts], return_index=True, return_inverse=True)
    group_of_query = np.empty(first_run.size, np.int64)
    group_of_query[np.argsort(first_run)] = np.arange(first_run.size)
    group = np.repeat(group_of_query[query_of_run], run_sizes)
    return np.argsort(group, kind="stable"), np.bincount(group).astype(np.int64)


def hold_out(data: RankingData, share: float, seed: int) -> tuple[RankingData, RankingData]:
    """`data` split by query into train and valid; `share` of the query groups, drawn by `seed`, go to valid."""
    if data.n_groups < 2:
        raise DataError(
            "a single query group can't be split into train and valid",
            where=f"dataset split {data.name!r}",
            remedy="give more queries, or name a file for data.valid",
        )
    n_held = min(max(round(share * data.n_groups), 1), data.n_groups - 1)
    shuffled = np.random.default_rng(seed).permutation(data.n_groups)
    kept, held = np.sort(shuffled[n_held:]), np.sort(shuffled[:n_held])
    return data.take_groups(kept), replace(data.take_groups(held), name="valid")
