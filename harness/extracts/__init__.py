"""Extracts: what other tools read of finished runs. One file per form; see `harness.protocols.Extract`."""
