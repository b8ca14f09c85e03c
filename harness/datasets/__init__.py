"""Datasets: one file each, named by its key in a scenario."""
