"""Made groups on disk, `groups.npz`, so that features are computed once for each set of options."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from harness.errors import ModelError
from harness.ranking_data import RankingData

LAYOUT = 1
"""Version of what is written here, and of how features are made; part of the cache key."""
_FILE = "groups.npz"


def keep(data: RankingData, directory: Path) -> None:
    """Write all groups."""
    np.savez(
        directory / _FILE,
        features=data.features,
        grades=data.grades,
        group_sizes=data.group_sizes,
        feature_names=np.array(data.feature_names),
    )


def reopen(directory: Path) -> RankingData:
    """Read them again; ModelError where the entry is damaged."""
    try:
        with np.load(directory / _FILE, allow_pickle=False) as found:
            return RankingData(
                "all",
                found["features"],
                found["grades"],
                found["group_sizes"],
                tuple(map(str, found["feature_names"])),
            )
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ModelError(f"unreadable groups: {error}", where=str(directory)) from error
