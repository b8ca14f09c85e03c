"""The judge: from samples, measurements and SLA to a verdict."""
