"""Request bodies, encoded before the run into one file that the load process maps into memory."""

from __future__ import annotations

import mmap
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness import registry
from harness.protocols import RankingRequest
from harness.ranking_data import Features
from harness.scenario import Choice, options

BLOB, INDEX = "bodies.bin", "bodies.npz"


@dataclass(frozen=True)
class Bodies:
    """Encoded requests: `blob[offsets[i]:offsets[i + 1]]` is body i.

    headers: (n,) its own HTTP header lines, each ended by CRLF; n_candidates: (n,) length of its candidate list.
    """

    blob: memoryview
    offsets: NDArray[np.int64]
    headers: NDArray[np.str_]
    n_candidates: NDArray[np.int32]

    def __len__(self) -> int:
        return int(self.n_candidates.size)

    def body(self, index: int) -> memoryview:
        """The bytes of one body, not copied."""
        return self.blob[int(self.offsets[index]) : int(self.offsets[index + 1])]

    def head(self, index: int, path: str, authority: str, more: str = "") -> bytes:
        """Everything that goes before the body of a POST to authority/path; `more` holds further header lines."""
        size = int(self.offsets[index + 1] - self.offsets[index])
        start = f"POST {path} HTTP/1.1\r\nHost: {authority}\r\nContent-Length: {size}\r\n"
        return f"{start}{self.headers[index]}{more}\r\n".encode("latin-1")


def write_bodies(lists: Iterable[Features], feature_names: tuple[str, ...], adapter: Choice, folder: Path) -> int:
    """Encode candidate lists into `folder`; how many there are. Raises a HarnessError for what can't be carried."""
    plugin, chosen = registry.adapter(adapter.kind), options("adapters", adapter)
    ends, headers, sizes = [0], [], []
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / BLOB).open("wb") as file:
        for index, x in enumerate(lists):
            body, own = plugin.encode(chosen, RankingRequest(f"body-{index}", x, feature_names))
            file.write(body)
            ends.append(ends[-1] + len(body))
            headers.append("".join(f"{name}: {value}\r\n" for name, value in own.items()))
            sizes.append(x.shape[0])
    with (folder / INDEX).open("wb") as file:
        np.savez(
            file,
            offsets=np.array(ends, dtype=np.int64),
            headers=np.array(headers),
            n_candidates=np.array(sizes, dtype=np.int32),
        )
    return len(sizes)


def open_bodies(folder: Path) -> Bodies:
    """Map what `write_bodies` wrote."""
    with np.load(folder / INDEX, allow_pickle=False) as index, (folder / BLOB).open("rb") as file:
        blob = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        return Bodies(blob, index["offsets"], index["headers"], index["n_candidates"])
