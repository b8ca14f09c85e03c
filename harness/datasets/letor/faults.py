"""What is wrong with a line of an SVMlight file, in words: the slow twin of `lines.parse`, run only on a bad block."""

from __future__ import annotations

import re
from pathlib import Path

from harness.datasets._numbers import TOP_GRADE
from harness.datasets.letor.lines import LARGEST_QUERY, MAX_INFERRED_FEATURES, Rules
from harness.errors import DataError

_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|[-+]?inf(inity)?|nan|null", re.IGNORECASE)
_WHOLE = re.compile(r"[-+]?\d+(\.0*)?")


def first_fault(text: bytes, first_line: int, path: Path, rules: Rules) -> DataError:
    """The error of the first bad line of `text`, whose first line is number `first_line` of the file."""
    lines = text.split(b"\n")
    for number, raw in enumerate(lines, first_line):
        line = raw.partition(b"#")[0].decode("utf-8", "backslashreplace").split()
        fault = _fault(line, rules) if line else None
        if fault is not None:
            return DataError(fault[0], where=f"{path}:{number}", remedy=fault[1])
    return DataError(
        "a line that is not `grade qid:query index:value ...`",
        where=f"{path}:{first_line}-{first_line + len(lines) - 1}",
        remedy="look for stray bytes or odd numbers there",
    )


def _fault(line: list[str], rules: Rules) -> tuple[str, str] | None:
    grade, *pairs = line
    if not _WHOLE.fullmatch(grade) or not 0 <= float(grade) <= TOP_GRADE:
        return (
            f"grade {_shown(grade)}",
            f"grades are whole numbers from 0 to {TOP_GRADE}; drop unjudged rows (for real-valued relevance, "
            "use the `table` dataset with grade_bins)",
        )
    query = pairs.pop(0).removeprefix("qid:") if pairs and pairs[0].startswith("qid:") else None
    if not rules.grouped:
        if query is None:
            return "no qid after the grade", "write `grade qid:query ...`, or name files of group sizes (train_groups)"
        if not _WHOLE.fullmatch(query) or abs(float(query)) >= LARGEST_QUERY:
            return f"qid {_shown(query)}", "qids are whole numbers below 2^53"
    return _fault_of_pairs(pairs, rules)


def _fault_of_pairs(pairs: list[str], rules: Rules) -> tuple[str, str] | None:
    seen: set[int] = set()
    for pair in pairs:
        index, colon, value = pair.partition(":")
        if index == "qid":
            return f"{_shown(pair)} after the first feature", "qid stands once, right after the grade"
        if not colon or not _WHOLE.fullmatch(index) or not _NUMBER.fullmatch(value):
            return f"{_shown(pair)} is not `index:number`", "mend or drop the line; write a missing value as nan"
        column = int(float(index)) - rules.first_index
        if column < 0:
            hint = "; set first_index: 0 where the first feature has index 0" if column == -1 else ""
            return f"feature index {_shown(index)}", f"indices begin at {rules.first_index}{hint}"
        if column >= rules.max_features:
            return _too_many(index, rules)
        if column in seen:
            return f"feature index {_shown(index)} twice", "give each feature of a row once"
        seen.add(column)
    return None


def _too_many(index: str, rules: Rules) -> tuple[str, str]:
    if rules.n_features is None:
        return (
            f"feature index {_shown(index)} is above {MAX_INFERRED_FEATURES}",
            "mend the index, or set n_features if the data really is that wide",
        )
    return f"feature index {_shown(index)} with n_features: {rules.n_features}", "raise n_features, or mend the index"


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")
