"""Finished runs over time: which of them belong together, an index of them, their trends."""
