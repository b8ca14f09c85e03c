"""Adapters: how a ranking endpoint is asked, and where in its answer the ranking stands."""
