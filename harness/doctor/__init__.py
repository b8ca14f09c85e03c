"""What would make latency figures untrustworthy on this machine, or a run fail. Looks, and changes nothing."""

from harness.doctor.check import Check, Mark
from harness.doctor.examination import examine, summary

__all__ = ["Check", "Mark", "examine", "summary"]
