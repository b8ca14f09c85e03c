"""Bench: the engines that can score a bundle, tried one by one, then timed against one another on the same lists."""
