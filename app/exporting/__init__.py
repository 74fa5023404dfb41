"""Exports: ratings, movies and users as files that can be imported again."""
