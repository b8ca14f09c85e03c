"""Engines: what scores a bundle, one file (or folder) each."""
