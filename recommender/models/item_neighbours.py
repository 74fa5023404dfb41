"""Recommend what is similar to what somebody has rated: items by the cosine of their columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from recommender.arrays import frozen
from recommender.compiling import kernel
from recommender.models.checking import check_any
from recommender.models.item_based import ItemBasedModel
from recommender.models.neighbour_search import by_neighbour, nearest_items
from recommender.models.options import ITEM_NEIGHBOURS, check_options
from recommender.models.products import arrays_of, table_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recommender.arrays import Indices, Rows, SparseRows
    from recommender.data.ratings import Ratings

    Array = NDArray[Any]


@dataclass(frozen=True)
class ItemNeighbours:
    """Score an item by the user's ratings of the items most similar to it.

    ``score(u, i) = Σ_j s_ij x_uj`` over the ``neighbours`` items j that are most similar to i,
    with ``s_ij = cos(x_i, x_j) · n_ij / (n_ij + shrinkage)``: the cosine of the two columns of
    ratings, believed the more the more raters n_ij they have in common.

    Every option is explained, with its range, in :mod:`recommender.models.options`.

    Raises
    ------
    InvalidOptionError
        When an option is outside its range.

    Notes
    -----
    Sarwar, Karypis, Konstan and Riedl, "Item-based collaborative filtering recommendation
    algorithms", WWW 2001; for lists of the best n, Deshpande and Karypis, "Item-based top-N
    recommendation algorithms", ACM TOIS 22(1), 2004. The shrinkage is that of Bell and Koren,
    "Improved neighborhood-based collaborative filtering", KDD Cup 2007.

    A fit takes as many steps as there are pairs of ratings of one user, and beside the ratings in
    both orientations 16 bytes for each item and neighbour at most, 8 of which the model keeps.

    Examples
    --------
    >>> from recommender import Ratings
    >>> ratings = Ratings.from_arrays([0, 0, 1, 1, 2], [0, 1, 0, 1, 2])
    >>> model = ItemNeighbours(shrinkage=0).fit(ratings)
    >>> model.score_user(0)  # items 0 and 1 have the same raters, 2 has others
    array([1., 1., 0.], dtype=float32)
    """

    neighbours: int = 100
    shrinkage: float = 20.0
    values: str = "ones"
    threads: int | None = None

    def __post_init__(self) -> None:
        for name, value in check_options(ITEM_NEIGHBOURS, self.__dict__).items():
            object.__setattr__(self, name, value)

    def fit(self, ratings: Ratings) -> NeighbourModel:
        """Find each item's neighbours.

        Parameters
        ----------
        ratings
            At least one. With ``values="stars"`` items that are rated alike are similar, and
            only similarities above 0 count.

        Raises
        ------
        TooFewRatingsError
            When there are none.
        """
        check_any(ratings)
        k = max(1, min(self.neighbours, ratings.n_items - 1))
        table = table_of(ratings.by_user.levels, self.values)
        rows, similarities = nearest_items(ratings, table, k, self.shrinkage, self.threads)
        return NeighbourModel(ratings, self.values, self.threads, *by_neighbour(rows, similarities))


@dataclass(frozen=True, eq=False)
class NeighbourModel(ItemBasedModel):
    """Items and the items that have them as neighbours.

    Attributes
    ----------
    indptr
        (n_items + 1,) int64: item j owns the entries ``indptr[j] : indptr[j + 1]``.
    indices
        (n_entries,) the items i that have j among their neighbours, increasing: uint16 for up to
        65,536 items, else int32.
    similarities
        (n_entries,) float32: s_ij of each, above 0.
    """

    indptr: NDArray[np.int64]
    indices: Indices
    similarities: NDArray[np.float32]

    def __post_init__(self) -> None:
        for name in ("indptr", "indices", "similarities"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    def _add_scores(
        self,
        histories: SparseRows,
        table: NDArray[np.float32],
        chosen: Rows,
        places: Rows,
        scores: NDArray[np.float32],
    ) -> None:
        _add_scores(
            places, chosen, *arrays_of(histories), table,
            self.indptr, self.indices, self.similarities, scores,
        )  # fmt: skip


@kernel
def _add_scores(
    places: Array, chosen: Array,
    history_indptr: Array, rated: Array, codes: Array, table: Array,
    indptr: Array, indices: Array, similarities: Array, scores: Array,
) -> None:  # fmt: skip
    for place in places:
        mine = scores[place]
        for entry in range(history_indptr[chosen[place]], history_indptr[chosen[place] + 1]):
            item = rated[entry]
            x = table[codes[entry]] if len(table) else np.float32(1)
            for other in range(indptr[item], indptr[item + 1]):
                mine[indices[other]] += x * similarities[other]
