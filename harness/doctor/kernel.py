"""The files in which Linux tells of itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.watch.proc import text_of

_CPUS = "sys/devices/system/cpu"


@dataclass(frozen=True)
class Kernel:
    """Files of /proc and /sys below `root`; those that are absent read as empty."""

    root: Path = Path("/")

    def word(self, path: str) -> str:
        """The first line of a file."""
        return text_of(self.root / path).partition("\n")[0].strip()

    def chosen(self, path: str) -> str:
        """The choice in brackets of a line such as `always [madvise] never`."""
        return self.word(path).partition("[")[2].partition("]")[0]

    def meminfo_bytes(self, name: str) -> int:
        """A quantity of /proc/meminfo; 0 where it is absent."""
        for line in text_of(self.root / "proc/meminfo").splitlines():
            key, _, value = line.partition(":")
            if key == name:
                return int(value.split()[0]) * 1024
        return 0

    @property
    def topology(self) -> Path:
        """The folder with a folder for each CPU."""
        return self.root / _CPUS

    def of_cpus(self, cpus: tuple[int, ...], path: str) -> set[str]:
        """The distinct first lines of one file of several CPUs."""
        return {self.word(f"{_CPUS}/cpu{cpu}/{path}") for cpu in cpus} - {""}
