"""Ranking latency harness: which compressed ranker meets the SLA, how sure is that, and what does it cost?"""

__version__ = "0.1.0"
