"""Scores to stop a training by: what ``fit`` takes as ``validate``.

A training that goes on for too long learns the ratings by heart. Ratings that it does not see
tell when: ``fit(train, validate=ranking_score(held_out))`` ends when they are ranked no better.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recommender.arrays import as_count
from recommender.data.splitting import Split
from recommender.errors import InvalidInputError, TooFewRatingsError
from recommender.evaluation.metrics import rmse
from recommender.evaluation.protocols import full_ranking

if TYPE_CHECKING:
    from collections.abc import Callable

    from recommender.data.ratings import Ratings
    from recommender.models.factor_model import FactorModel


def ranking_score(
    held_out: Ratings, n: int = 10, max_users: int | None = 1_000, seed: int = 0
) -> Callable[[FactorModel], float]:
    """Score a model by how high it ranks what was held out: the mean NDCG over users.

    Parameters
    ----------
    held_out
        Ratings of the users and items of the training, none of which it sees; all of them,
        whatever their stars, are relevant.
    n
        How many places of each list count.
    max_users
        How many users are asked, drawn once; ``None`` for all who have ratings held out.
    seed
        Where the draw comes from.

    Returns
    -------
    A function of a model, 0 … 1. It ranks the whole catalogue without the user's own training.

    Raises
    ------
    TooFewRatingsError
        When nothing is held out.
    InvalidInputError
        When a number is senseless; or, on the call, when the model has other users or items.

    Examples
    --------
    >>> import numpy as np
    >>> from recommender import ImplicitALS, Ratings
    >>> users, items = np.divmod(np.arange(400), 20)
    >>> alike = (users + items) % 2 == 0
    >>> ratings = Ratings.from_arrays(users[alike], items[alike])
    >>> held = np.arange(ratings.n_ratings) % 7 == 0
    >>> score = ranking_score(ratings.select(held))
    >>> model = ImplicitALS(factors=2).fit(ratings.select(~held), validate=score)
    >>> score(model)
    1.0
    """
    places = as_count(n)
    asked = _some_users(held_out, max_users, seed)

    def score(model: FactorModel) -> float:
        for kind, given, known in (
            ("users", held_out.users, model.users),
            ("items", held_out.items, model.items),
        ):
            if given is not known and not np.array_equal(given.ids, known.ids):
                raise InvalidInputError(
                    f"held_out has other {kind} than the training: {len(given)} and {len(known)} "
                    f"ids; hold out with Ratings.select, which keeps all users and items"
                )
        return float(full_ranking(model, Split(model.ratings, asked), places)["ndcg"].mean())

    return score


def star_score(held_out: Ratings) -> Callable[[FactorModel], float]:
    """Score a model by how nearly it predicts what was held out: minus the RMSE.

    Parameters
    ----------
    held_out
        Ratings that the training does not see. Of users and items that it does not know, what
        is known remains: see :meth:`FactorModel.predict <recommender.FactorModel.predict>`.

    Returns
    -------
    A function of a model, 0 at best. Predictions are clipped to the scale: from the least to the
    largest value of the training.

    Raises
    ------
    TooFewRatingsError
        When nothing is held out.

    Examples
    --------
    >>> import numpy as np
    >>> from recommender import BiasedALS, Ratings
    >>> users, items = np.divmod(np.arange(100), 10)
    >>> ratings = Ratings.from_arrays(users, items, 1 + (users // 5 + items) % 5)
    >>> held = np.arange(100) % 3 == 0
    >>> score = star_score(ratings.select(held))
    >>> model = BiasedALS(factors=4).fit(ratings.select(~held), validate=score)
    >>> -0.5 < score(model) < 0
    True
    """
    _refuse_nothing(held_out)
    users, items = held_out.users.ids[held_out.user_rows], held_out.items.ids[held_out.indices]
    actual = held_out.values

    def score(model: FactorModel) -> float:
        levels, counts = model.ratings.histogram()
        scale = levels[counts > 0]
        predicted = np.clip(model.predict(users, items), scale[0], scale[-1])
        return -rmse(predicted, actual)

    return score


def _some_users(held_out: Ratings, max_users: int | None, seed: int) -> Ratings:
    """Keep what is held out of so many users, drawn at random."""
    _refuse_nothing(held_out)
    there = np.flatnonzero(np.diff(held_out.indptr))
    if max_users is None or as_count(max_users, "max_users") >= len(there):
        return held_out
    chosen = np.zeros(held_out.n_users, np.bool_)
    chosen[np.random.default_rng(seed).choice(there, max_users, replace=False)] = True
    return held_out.select(chosen[held_out.user_rows])


def _refuse_nothing(held_out: Ratings) -> None:
    if held_out.n_ratings == 0:
        raise TooFewRatingsError("no ratings are held out; a score needs at least one")
