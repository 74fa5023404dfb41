"""Imports: files of any size, read in chunks, checked row by row, and told of truthfully."""
