"""The load test: a planned schedule, encoded bodies, and Locust in its own process."""
