"""Speed and memory of the `letor` reader: writes an MSLR-like file, parses it, prints MB/s and peak resident memory.

    python tests/benchmarks/letor_parse.py --rows 200000
    python tests/benchmarks/letor_parse.py --rows 3800000 --dir /a/folder/with/7GB

One thread; the parse ends with the binary cache written. The second read, from the cache, is timed beside.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

N_FEATURES = 136
ROWS_PER_QUERY = 120
TEMPLATE_ROWS = 4_000


def write_file(path: Path, n_rows: int) -> None:
    """Rows of the size and mix of MSLR-WEB30K's: mostly integers and zeros, some 6-digit fractions (1.1 kB a row)."""
    rng = np.random.default_rng(1)
    kinds = rng.choice(3, N_FEATURES, p=[0.35, 0.4, 0.25])
    rows = []
    for values in np.abs(rng.normal(size=(TEMPLATE_ROWS, N_FEATURES))) * 12:
        words = [("0", f"{value:.0f}", f"{value:.6f}")[kind] for kind, value in zip(kinds, values, strict=True)]
        rows.append(" ".join(f"{index}:{word}" for index, word in enumerate(words, 1)))
    grades = rng.choice(5, n_rows, p=[0.52, 0.32, 0.13, 0.02, 0.01])
    with path.open("w", encoding="ascii", newline="\n") as file:
        for row in range(n_rows):
            file.write(f"{grades[row]} qid:{row // ROWS_PER_QUERY + 1} {rows[row % TEMPLATE_ROWS]} \n")


def parse(big: Path, small: Path, cache_dir: Path) -> None:
    """Load twice and print the figures; runs in a process of its own, so that the peak is the reader's."""
    from harness.datasets import letor

    options = letor.Options(train=big, valid=small, test=small)
    megabytes = (big.stat().st_size + 2 * small.stat().st_size) / 1e6
    times = {}
    for label in ("first read (parse)", "second read (cache)"):
        wall, cpu = time.perf_counter(), time.process_time()
        splits = letor.load(options, cache_dir)
        times[label] = time.perf_counter() - wall, time.process_time() - cpu
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    dense_mb = splits.train.features.nbytes / 1e6
    print(f"{splits.train.n_rows:,} rows, {splits.train.n_groups:,} queries, {megabytes:,.0f} MB of text")
    for label, (wall_s, cpu_s) in times.items():
        print(f"{label}: {wall_s:.2f} s, {megabytes / wall_s:,.1f} MB/s; {megabytes / cpu_s:,.1f} MB/s of CPU time")
    print(f"peak resident memory: {peak_mb:,.0f} MB (the features as float32 take {dense_mb:,.0f} MB)")


def main() -> None:
    """Write the file, then parse it in a fresh process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200_000, help="rows of the train file (default 200,000)")
    parser.add_argument("--dir", type=Path, default=None, help="folder for the temporary files")
    parser.add_argument("--parse", nargs=3, type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.parse:
        parse(*arguments.parse)
        return
    with tempfile.TemporaryDirectory(prefix="letor-parse-", dir=arguments.dir) as folder:
        big, small = Path(folder) / "train.txt", Path(folder) / "small.txt"
        write_file(big, arguments.rows)
        write_file(small, 5 * ROWS_PER_QUERY)
        command = [sys.executable, __file__, "--parse", str(big), str(small), str(Path(folder) / "cache")]
        subprocess.run(command, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})


if __name__ == "__main__":
    main()
