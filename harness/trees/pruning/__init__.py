"""What tree methods compute: which trees, levels, leaves and features go, and what the rest becomes."""
