"""Kept answers: the distinct ones of a load test, each once, in a file that the audit reads.

A request's row in the samples holds the index of its answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from harness.errors import HarnessError
from harness.samples import NO_ANSWER


@dataclass(frozen=True)
class Answers:
    """Distinct answers, (m,) each: index of the target, index of the request body, kept header lines, bytes.

    `heads` hold `name: value` lines in lower case, ended by newlines.
    """

    targets: tuple[str, ...]
    target: NDArray[np.int16]
    body: NDArray[np.int32]
    heads: tuple[str, ...]
    blobs: tuple[bytes, ...]

    def __len__(self) -> int:
        return len(self.blobs)

    def headers(self, index: int) -> dict[str, str]:
        """Kept headers of one answer, names in lower case."""
        lines = (line.partition(": ") for line in self.heads[index].splitlines())
        return {name: value for name, _, value in lines}

    def save(self, path: Path) -> None:
        """Write as a compressed .npz (no pickles)."""
        ends = np.cumsum([0, *map(len, self.blobs)], dtype=np.int64)
        with path.open("wb") as file:
            np.savez_compressed(
                file,
                targets=np.array(self.targets),
                target=self.target,
                body=self.body,
                heads=np.array(self.heads, dtype=np.str_),
                ends=ends,
                blob=np.frombuffer(b"".join(self.blobs), dtype=np.uint8),
            )

    @classmethod
    def load(cls, path: Path) -> Answers:
        """Read what `save` wrote; a missing or corrupt file is a HarnessError naming it."""
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
                blob, ends = archive["blob"].tobytes(), archive["ends"].tolist()
                return cls(
                    targets=tuple(map(str, archive["targets"])),
                    target=archive["target"],
                    body=archive["body"],
                    heads=tuple(map(str, archive["heads"])),
                    blobs=tuple(blob[start:end] for start, end in pairwise(ends)),
                )
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
            raise HarnessError(
                f"can't read kept answers: {error}", where=str(path), remedy="run the scenario again"
            ) from error


def merged(parts: Sequence[Answers]) -> tuple[Answers, list[NDArray[np.int32]]]:
    """Answers of several load processes as one, each distinct one once, and a map per process of old to new index.

    `maps[p][samples.answer]` renumbers the column of process p: a map's last entry is NO_ANSWER, which is where the
    index -1 points to.
    """
    known: dict[tuple[int, int, str, bytes], int] = {}
    maps = []
    for part in parts:
        if part.targets != parts[0].targets:
            raise ValueError("answers of load tests with different targets")
        columns = zip(part.target.tolist(), part.body.tolist(), part.heads, part.blobs, strict=True)
        places = [known.setdefault(entry, len(known)) for entry in columns]
        maps.append(np.array([*places, NO_ANSWER], dtype=np.int32))
    whole = Answers(
        targets=parts[0].targets,
        target=np.array([target for target, *_ in known], dtype=np.int16),
        body=np.array([body for _, body, *_ in known], dtype=np.int32),
        heads=tuple(head for *_, head, _ in known),
        blobs=tuple(blob for *_, blob in known),
    )
    return whole, maps
