"""A forest in the fewest bits: one file, read through a memory map, whose thresholds and leaves score as before.

    header      magic, version, what a Forest is besides its trees, counts (`header`)
    features    per used feature: index, number of distinct thresholds, where missing values go (`tables`)
    thresholds  per feature ascending: the first, then gaps between neighbours (`tables`, `integers`)
    shape       per level of all trees at once: which nodes are splits (`shape`)
    splits      per split: feature, rank of its threshold, side of missing values where its feature has both (`splits`)
    leaves      per leaf its value, by one of the encodings of `leaves`
    digest      SHA-256 of all before it

Nodes stand in level order of the whole forest (the roots of all trees, then their children, and so on): child links
cost nothing, as in preorder, and a level is decoded at once, so numpy alone loads a thousand trees in a fraction of a
second. `tests/benchmarks/packed.py` measures every choice beside its alternatives.

Thresholds are float32, rounded to the side on which every float32 feature falls as before (`tables.float32_sides`):
identical leaves for every row. Leaf values are by default whole numbers of one step, so fine that scores stay within
1e-6 of the largest (`leaves.step_of`); covers are left out. The digest is SHA-256, as in manifests: a checksum of 32
bits would let one damage in four thousand million pass, and 28 bytes are nothing in a hundred thousand. It proves no
origin: who can write the file can write its digest. So nothing that was read is trusted before it has been checked:
counts are bounded by the bits that are there, and a damaged file ends in a ModelError.
"""

from harness.trees.formats.packed.file import PACKED, load, save

__all__ = ["PACKED", "load", "save"]
