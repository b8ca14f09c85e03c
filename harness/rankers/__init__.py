"""Rankers: ways to get a teacher, one file each."""
