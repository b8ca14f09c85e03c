"""A folder of results as a small site that can be read and nothing else."""
