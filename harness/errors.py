"""Every error the harness raises on purpose, with the exit code each one ends the command with.

    HarnessError                 3   what failed, where, and what to do about it
    ├── UsageError               2   the command line asks for something that does not exist
    │   └── ScenarioError        2   one or more problems in scenario files, all listed at once
    ├── DataError                3   a dataset can't be read or is not ranking data
    ├── ModelError               3   a model file or bundle is broken, or a method can't work on it
    ├── EngineError              3   an engine can't load, compile or serve a bundle
    ├── ServeError               3   the server did not start, or died
    ├── TargetError              3   an endpoint can't be reached, or may not be asked
    ├── SinkError                3   a tracker can't be reached, or refuses a run
    ├── AnswerError              3   an answer does not say what its adapter expects
    └── LoadError                3   the load generator did not start, or died

Exit codes of a run that ends normally: 0 every SLA met, 1 an SLA missed, 4 INCONCLUSIVE or INVALID; 130 interrupted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches


class HarnessError(Exception):
    """Something failed on a known path: `what` happened, `where`, and the `remedy`."""

    exit_code = 3

    def __init__(self, what: str, *, where: str = "", remedy: str = "") -> None:
        self.what, self.where, self.remedy = what, where, remedy
        super().__init__(what, where, remedy)

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text}\n  -> {self.remedy}" if self.remedy else text


class UsageError(HarnessError):
    """The command line names something that does not exist."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault of a scenario file: place (1-based line and column, 0 where unknown), dotted key, message."""

    file: str
    line: int
    column: int
    key: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{place}: {self.key}: {self.message}" if self.key else f"{place}: {self.message}"


class ScenarioError(UsageError):
    """All the problems of one or more scenario files."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in problems))


class DataError(HarnessError):
    """A dataset can't be read, or what was read is not ranking data."""


class ModelError(HarnessError):
    """A model or bundle is broken, or does not fit the data or the method."""


class EngineError(HarnessError):
    """An engine can't load, compile or score a bundle."""


class ServeError(HarnessError):
    """The server did not start, did not become ready, or died."""


class TargetError(HarnessError):
    """A ranking endpoint can't be reached, may not be asked, or does not answer a real request."""


class AnswerError(HarnessError):
    """An answer does not hold a ranking where its adapter looks for one."""


class SinkError(HarnessError):
    """A tracker can't be reached, refuses a run, or its library is not installed."""

    @classmethod
    def missing(cls, extra: str, error: ImportError) -> SinkError:
        """That the library of an extra is not there."""
        return cls(
            f"its library is not installed: {error}",
            where=extra,
            remedy=f"pip install 'ranking-latency-harness[{extra}]'",
        )


class LoadError(HarnessError):
    """The load generator did not start, or died before it had written its samples."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """` (did you mean 'x'?)` for a near miss, then the full list; empty where nothing is known."""
    options = sorted(known)
    if not options:
        return ""
    near = get_close_matches(word, options, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f" ({hint}one of: {', '.join(options)})"
