"""Movies that are newer than the model, and the vectors they have until it knows them.

A movie has the vector that the training learned of movies of its genres, its year and its tags,
and each rating by a user whom the model knows moves it from there, from the first one on. Of a
movie without any of these, :data:`ENOUGH` such ratings make a vector. Until then nothing is known
of it, and no list of recommendations holds it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.movie_attributes import attributes_of
from recommender.arrays import frozen
from recommender.models.item_vector import ItemVector
from recommender.top_k import NormOrder, exact_scores, top_k

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

    from app.serving.fresh_ratings import FreshRatings
    from app.serving.shelf import Shelf
    from app.store.records import Movie
    from recommender.arrays import Mask, Rows, Scores, Vector
    from recommender.generations import Generation
    from recommender.models.factor_model import FactorModel

ENOUGH = 3
"""So many ratings make a vector where nothing else does; benchmarks/new_movies.py measures it."""

_MANY = 4_000
"""From how many newcomers on it pays to lay them out for a scan that stops early."""

Solved = NDArray[np.float32]
"""For each model in turn, an item's vector and after it its bias."""


@dataclass(frozen=True, eq=False)
class Table:
    """Newcomers as one model sees them.

    Attributes
    ----------
    vectors
        (m, k) float32.
    met
        (m, k or k+1) float32: what users' vectors meet.
    baselines
        (m,) float32 that are added to scores, or ``None``.
    """

    vectors: NDArray[np.float32]
    met: NDArray[np.float32]
    baselines: NDArray[np.float32] | None

    @classmethod
    def of(cls, model: FactorModel, solved: NDArray[np.float32]) -> Table:
        """Take vectors, and after each its bias: (m, k+1) float32."""
        vectors = np.ascontiguousarray(solved[:, : model.n_factors])
        baselines = solved[:, -1] + np.float32(model.global_bias)
        with_biases = model.item_biases is not None
        return cls(vectors, model.met_by_users(vectors), baselines if with_biases else None)


class Folded(NamedTuple):
    """What ratings made of a movie.

    Attributes
    ----------
    newest, n_ratings
        The version of the newest of them, and how many there were: fewer after an erasure.
    around
        What its attributes say of it, if anything.
    solved
        The outcome.
    """

    newest: int
    n_ratings: int
    around: Solved | None
    solved: Solved


@dataclass(frozen=True, eq=False)
class Newcomers:
    """The movies of a shelf that the model does not know, in their order.

    Attributes
    ----------
    known
        (m,) bool: whether each has a vector.
    ranking, stars
        Their vectors; zeros where there is none.
    order
        For the scan; ``None`` where there are few.
    predicted, folded
        What was worked out for each movie, and from what: kept for as long as that stands.
    """

    known: Mask
    ranking: Table
    stars: Table | None
    order: NormOrder | None
    predicted: Mapping[str, tuple[Movie, Solved]]
    folded: Mapping[str, Folded]

    @classmethod
    def of(
        cls, generation: Generation, shelf: Shelf, fresh: FreshRatings, before: Self | None = None
    ) -> Self:
        """Give each its vector; what ``before`` worked out is not worked out again."""
        movies = dict(zip(shelf.ids[shelf.n_items :], shelf.movies[shelf.n_items :], strict=True))
        predicted = _predict(generation, movies, before.predicted if before else {})
        folded = _fold_in(generation, movies, fresh, predicted, before.folded if before else {})
        models = _models(generation)
        nothing = np.zeros(sum(model.n_factors + 1 for model in models), np.float32)
        solved = []
        for movie_id in movies:
            if movie_id in folded:
                solved.append(folded[movie_id].solved)
            else:
                solved.append(predicted[movie_id][1] if movie_id in predicted else nothing)
        table = np.array(solved, np.float32).reshape(len(movies), len(nothing))
        width = models[0].n_factors + 1
        ranking = Table.of(models[0], table[:, :width])
        stars = Table.of(models[1], table[:, width:]) if len(models) > 1 else None
        order = NormOrder.of(ranking.met, ranking.baselines) if len(movies) >= _MANY else None
        known = frozen(np.array([key in folded or key in predicted for key in movies], np.bool_))
        return cls(known, ranking, stars, order, predicted, folded)

    def __len__(self) -> int:
        return len(self.known)

    def best(self, vector: Vector, n: int, allowed: Mask) -> tuple[Rows, Scores]:
        """Return the places and scores of the n best, best first; (m,) bool says who may appear."""
        if self.order is not None:
            return self.order.best(vector, n, allowed & self.known)
        scores = self.scores(vector)
        places = top_k(scores, n, allowed & self.known)
        return places, scores[places]

    def scores(self, vector: Vector, places: Rows | None = None) -> Scores:
        """(n,) float32: what ranks some of them, or all."""
        return exact_scores(self.ranking.met, self.ranking.baselines, vector, places)

    def stars_of(self, vector: Vector, places: Rows) -> Scores:
        """(n,) float32: the stars of some, for a vector of the model of stars.

        Raises
        ------
        ValueError
            When the generation has no such model.
        """
        if self.stars is None:
            raise ValueError("the generation predicts no stars")
        return exact_scores(self.stars.met, self.stars.baselines, vector, places)


def _models(generation: Generation) -> list[FactorModel]:
    return [generation.ranking, *([generation.stars] if generation.stars else [])]


def _predict(
    generation: Generation,
    movies: Mapping[str, Movie | None],
    before: Mapping[str, tuple[Movie, Solved]],
) -> dict[str, tuple[Movie, Solved]]:
    """Return for each movie of which something is known what movies of its kind are like."""
    kept = {
        movie_id: known
        for movie_id, movie in movies.items()
        if (known := before.get(movie_id)) is not None and (known[0] is movie or known[0] == movie)
    }
    learned = generation.attributes
    new = {key: m for key, m in movies.items() if m is not None and key not in kept}
    if learned is None or not new:
        return kept
    attributes = attributes_of(list(new.values()))
    maps = [learned.ranking, *([learned.stars] if learned.stars else [])]
    solved = np.hstack([one.predict(attributes) for one in maps])
    known = learned.ranking.knows(attributes).tolist()
    predicted = {
        key: (movie, row)
        for (key, movie), row, is_known in zip(new.items(), solved, known, strict=True)
        if is_known
    }
    return kept | predicted


def _fold_in(
    generation: Generation,
    movies: Mapping[str, Movie | None],
    fresh: FreshRatings,
    predicted: Mapping[str, tuple[Movie, Solved]],
    before: Mapping[str, Folded],
) -> dict[str, Folded]:
    """Fold in each movie that enough users of the training have rated since."""
    found = {}
    for movie_id, changes in fresh.of_newcomers():
        if movie_id not in movies:
            continue
        newest = max(change.version for change in changes.values())
        around = predicted[movie_id][1] if movie_id in predicted else None
        known = before.get(movie_id)
        so_far = (newest, len(changes))
        if known is not None and known[:2] == so_far and known.around is around:
            found[movie_id] = known
            continue
        rated = {
            row: change.rating
            for user, change in changes.items()
            if change.rating is not None
            and (row := generation.ranking.users.find(user)) >= 0
            and row not in fresh.erased.rows
        }
        if len(rated) >= (ENOUGH if around is None else 1):
            found[movie_id] = Folded(*so_far, around, _solve(generation, rated, around))
    return found


def _solve(generation: Generation, rated: Mapping[int, float], around: Solved | None) -> Solved:
    rows = np.fromiter(rated, np.int64, len(rated))
    values = np.fromiter(rated.values(), np.float32, len(rated))
    parts, begin = [], 0
    for model in _models(generation):
        end = begin + model.n_factors
        prior = None if around is None else ItemVector(around[begin:end], float(around[end]))
        folded = model.fold_in_item_rows(rows, values, prior)
        parts += [folded.vector, np.array([folded.bias], np.float32)]
        begin = end + 1
    return np.concatenate(parts)
