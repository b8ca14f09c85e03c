"""Tables that every format can draw."""

from __future__ import annotations

from dataclasses import dataclass

from harness.records import VerdictStatus

Cell = str | VerdictStatus
"""Text, or a status that a format may also show by a mark and a colour."""


@dataclass(frozen=True)
class Table:
    """Text cells under column heads; the first `n_text` columns and those in `wide` hold words, the others figures.

    `keys`, where it is not empty, has the number behind every cell, to sort by: NaN where there is none.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    n_text: int = 1
    wide: tuple[int, ...] = ()
    note: str = ""
    keys: tuple[tuple[float, ...], ...] = ()

    def is_text(self, column: int) -> bool:
        """True where a column holds words, which stand left; figures stand right."""
        return column < self.n_text or column in self.wide


MARKS = {
    VerdictStatus.PASS: "✓",
    VerdictStatus.FAIL: "✗",
    VerdictStatus.INCONCLUSIVE: "?",
    VerdictStatus.INVALID: "!",
}
