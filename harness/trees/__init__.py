"""Tree ensembles as arrays, read from and written to Treelite and the source libraries."""
