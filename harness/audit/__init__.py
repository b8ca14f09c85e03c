"""The audit: what the answers of a load test say, against the offline scores of the same candidates."""

from harness.audit.audit import Reference, audit

__all__ = ["Reference", "audit"]
