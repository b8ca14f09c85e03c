"""A first scenario: looks into the user's model and data files, and writes a question about them that runs."""

from harness.init.begin import Begin, begin

__all__ = ["Begin", "begin"]
