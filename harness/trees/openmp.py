"""OpenMP threads that wait asleep: spinning ones make training seven times slower where others want the cores."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

_POLICY = "OMP_WAIT_POLICY"


@contextmanager
def sleeping_threads() -> Iterator[None]:
    """An OpenMP runtime first loaded inside the block lets its idle threads sleep, unless the user has said otherwise.

    The runtime reads the variable once, when its library is loaded; it is taken back afterwards, so that servers
    started later are not affected.
    """
    if _POLICY in os.environ:
        yield
        return
    os.environ[_POLICY] = "PASSIVE"
    try:
        yield
    finally:
        del os.environ[_POLICY]
