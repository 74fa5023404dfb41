"""Which movies a list may hold: ``year >= 1990 and "Comedy" in genres``.

An expression is parsed by a grammar and never executed; it becomes a mask over the movies of a
model before the best are chosen, so that a filter never shortens a list while movies are left.
"""

from app.filtering.language import FilterError, parse
from app.filtering.masks import Masks

__all__ = ["FilterError", "Masks", "parse"]
