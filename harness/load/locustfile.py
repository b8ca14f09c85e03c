"""The locustfile of a scenario that names none of its own."""

from __future__ import annotations

from harness.load.user import RankingUser


class PlannedUser(RankingUser):
    """The user as it is."""
