"""Exporters: a bundle as files that its user loads with nothing of ours. One file per form."""
