"""The machine during a load test, seen from the harness's own process: whose time the cores spent, and who waited."""
