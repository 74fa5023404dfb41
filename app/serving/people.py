"""From an id, or from ratings, to a vector: whom a list is for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from app.serving.current import Serving
    from app.serving.fresh_ratings import Change
    from recommender.arrays import Rows, Vector
    from recommender.models.factor_model import FactorModel
    from recommender.models.folded_user import FoldedUser

_NO_ROWS = np.empty(0, np.int64)


class Person(NamedTuple):
    """Somebody a list is for.

    Attributes
    ----------
    ranking
        As the ranking model sees them: vector, rated rows, stars; ``None`` when nothing is known
        of them that the model could use.
    stars
        Their vector in the model of stars; ``None`` when the generation has none.
    fresh
        How many changes newer than the model were taken into account.
    trained
        Whether the vectors are those of the training.
    rated_newcomers
        Increasing rows of rated movies that are not in ``ranking``: the model does not know them.
    since_changed
        Whether ``ranking`` has an older vector than its ratings would make: that of a list that
        was begun before the last of them.
    """

    ranking: FoldedUser | None
    stars: Vector | None = None
    fresh: int = 0
    trained: bool = False
    rated_newcomers: Rows = _NO_ROWS
    since_changed: bool = False

    @property
    def rated(self) -> Rows:
        """(n,) increasing rows of the movies that they rated and that have a row."""
        known = _NO_ROWS if self.ranking is None else self.ranking.rated
        return np.concatenate((known, self.rated_newcomers))


def identify(serving: Serving, user_id: str) -> Person:
    """Find a user: as trained when nothing changed since, else folded in."""
    ranking = serving.generation.ranking
    row = serving.find_user(user_id)
    changes = serving.fresh.of_user(user_id)
    if not changes:
        return Person(None) if row < 0 else _as_trained(serving, row)
    rated = trained_ratings(ranking, row)
    fresh = _lay_over(ranking, rated, changes)
    newcomers = _newcomers(serving, (m for m, c in changes.items() if c.rating is not None))
    if not fresh:
        known = Person(None) if row < 0 else _as_trained(serving, row)
        return Person(known.ranking, known.stars, 0, known.trained, newcomers)
    return fold_in(serving, rated, fresh, newcomers)


def visitor(serving: Serving, ratings: Mapping[str, float]) -> tuple[Person, list[str]]:
    """Fold in somebody who is known by these ratings alone.

    Returns
    -------
    The person, and the ids of movies without a vector, which could not be used.
    """
    ids = list(ratings)
    rows = serving.generation.ranking.items.rows(ids).tolist()
    known = {row: ratings[movie] for row, movie in zip(rows, ids, strict=True) if row >= 0}
    unknown = [movie for row, movie in zip(rows, ids, strict=True) if row < 0]
    return fold_in(serving, known, 0, _newcomers(serving, unknown)), unknown


def fold_in(
    serving: Serving, rated: Mapping[int, float], fresh: int = 0, newcomers: Rows = _NO_ROWS
) -> Person:
    """Fold in somebody with these stars of rows of the model."""
    if not rated:
        return Person(None, None, fresh, rated_newcomers=newcomers)
    generation = serving.generation
    rows = np.fromiter(rated, dtype=np.int64, count=len(rated))
    values = np.fromiter(rated.values(), dtype=np.float32, count=len(rated))
    stars = generation.stars
    return Person(
        generation.ranking.fold_in_rows(rows, values),
        None if stars is None else stars.fold_in_rows(rows, values).vector,
        fresh,
        rated_newcomers=newcomers,
    )


def trained_ratings(ranking: FactorModel, user_row: int) -> dict[int, float]:
    """Return the stars of each row that a user of the training rated; of row -1, none."""
    if user_row < 0:
        return {}
    rows, values = ranking.ratings.of_user(user_row)
    return dict(zip(rows.tolist(), values.tolist(), strict=True))


def _as_trained(serving: Serving, user_row: int) -> Person:
    generation = serving.generation
    stars = None if generation.stars is None else generation.stars.user_vector(user_row)
    return Person(generation.ranking.folded(user_row), stars, trained=True)


def _lay_over(ranking: FactorModel, rated: dict[int, float], changes: Mapping[str, Change]) -> int:
    """Lay a user's changes over what the model was trained on.

    Returns
    -------
    How many changes made a difference: one of a movie that the model does not know, or a deletion
    of what it never saw, makes none.
    """
    fresh = 0
    rows = ranking.items.rows(list(changes)).tolist()
    for row, change in zip(rows, changes.values(), strict=True):
        if row < 0 or (change.rating is None and row not in rated):
            continue
        fresh += 1
        if change.rating is None:
            del rated[row]
        else:
            rated[row] = change.rating
    return fresh


def _newcomers(serving: Serving, movie_ids: Iterable[str]) -> Rows:
    """Return the increasing rows of those that are newer than the model."""
    shelf = serving.shelf
    if len(shelf.ids) == shelf.n_items:
        return _NO_ROWS
    rows = (shelf.row(movie_id) for movie_id in movie_ids)
    return np.array(sorted({row for row in rows if row >= shelf.n_items}), np.int64)
