"""Forests from and to the files of other libraries, and the packed file of our own."""
