"""Ranking endpoints that are not the harness's own: asking one, starting one, finding out what it takes."""
