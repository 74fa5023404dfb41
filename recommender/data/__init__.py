"""Ratings, movies and users: from files to arrays."""
