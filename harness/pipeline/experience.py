"""What earlier runs have taught: small facts for planning the next one, a JSON file each, in the cache."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from harness.cache import Cache, key_of


class Experience:
    """Facts by what they are about, which is anything that JSON can hold. Of one thing, the last fact stands."""

    def __init__(self, cache: Cache) -> None:
        self._folder = cache.root / "experience"

    def recall(self, about: Any) -> Any:
        """The fact; None where there is none."""
        try:
            return json.loads(self._file(about).read_bytes())
        except (OSError, ValueError):
            return None

    def keep(self, about: Any, fact: Any) -> None:
        """Note a fact. A full disk only loses it: nothing that is measured rests on it."""
        file = self._file(about)
        partial = file.with_suffix(f".{os.getpid()}")
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            partial.write_text(json.dumps(fact), encoding="ascii")
            partial.replace(file)

    def _file(self, about: Any) -> Path:
        return self._folder / f"{key_of(about)[:32]}.json"
