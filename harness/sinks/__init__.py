"""Trackers that finished runs are sent to, one file each; `harness.protocols.Sink` says what they have."""
