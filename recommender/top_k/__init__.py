"""The exact best n under a mask; ties settled by row, which is the order of the ids.

:func:`top_k` picks from scores that are there. :class:`NormOrder` finds the best items of a vector
without computing most scores, and gives the same answer as a full sort of all of them.
"""

from recommender.top_k.full_sort import top_k
from recommender.top_k.norm_order import NormOrder, exact_scores

__all__ = ["NormOrder", "exact_scores", "top_k"]
