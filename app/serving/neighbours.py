"""Lists that belong to no user: the neighbours of a movie or a user, and what is popular."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from app.serving.lists import rounded
from app.serving.people import identify
from recommender.models.nearness import nearest

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.serving.current import Serving
    from recommender.arrays import Mask, Rows, Scores, Vector
    from recommender.models.nearness import Nearness

Popularity = Literal["count", "trend"]
"""What popular means: how often a movie was rated, or how often of late."""

SPARE = 8
"""So many more neighbours are looked for than asked for: some may have been erased meanwhile."""


def similar_movies(
    serving: Serving,
    movie_id: str,
    n: int,
    allowed: Mask | None,
    by: Nearness,
    fields: tuple[str, ...] | None = None,
) -> dict[str, Any]:
    """Return the movies whose embeddings are nearest, by direction or by dot product.

    A movie that has no embedding yet has an empty list.
    """
    row = serving.shelf.row(movie_id)
    rows, scores = np.empty(0, np.int64), np.empty(0, np.float32)
    if row >= 0 and serving.has_vector(row):
        may = serving.ranked if allowed is None else allowed & serving.ranked
        asked = serving.vectors(np.array([row]))[0]
        table, norms = serving.embeddings
        rows, scores = nearest(table, norms, asked, n, may, by, without=row)
    movies = serving.shelf.lines(rows.tolist(), {"score": rounded(scores)}, fields)
    return {"movie_id": movie_id, "model": serving.model_block, "movies": movies}


def similar_users(
    serving: Serving, user_id: str, n: int, by: Nearness, is_there: Callable[[str], bool]
) -> dict[str, Any]:
    """Return the users of the training whose embeddings are nearest to a user's as it is now.

    Somebody of whom nothing is known has an empty list.

    Parameters
    ----------
    serving
        The model of the moment.
    user_id
        Whose neighbours.
    n
        How many; fewer come back when fewer are left.
    by
        What near means.
    is_there
        Says whether a user is stored; others were erased since the training, and do not appear.
    """
    person = identify(serving, user_id)
    model = serving.generation.ranking
    users: list[dict[str, Any]] = []
    if person.ranking is not None:
        rows, scores = _nearest_users(serving, user_id, person.ranking.vector, n, by, is_there)
        counts = np.diff(model.ratings.by_user.indptr)[rows].tolist()
        users = [
            {"user_id": str(model.users.id(row)), "score": score, "n_ratings": count}
            for row, score, count in zip(rows.tolist(), rounded(scores), counts, strict=True)
        ]
    block = {**serving.model_block, "fresh_ratings": person.fresh}
    return {"user_id": user_id, "model": block, "users": users}


def _nearest_users(
    serving: Serving,
    user_id: str,
    vector: Vector,
    n: int,
    by: Nearness,
    is_there: Callable[[str], bool],
) -> tuple[Rows, Scores]:
    """Return the rows and scores of the n nearest who are there, however many are not."""
    model, erased = serving.generation.ranking, serving.erased.rows
    own = model.users.find(user_id)
    known: dict[int, bool] = {}
    asked = n + SPARE
    while True:
        rows, scores = nearest(
            model.user_factors, model.user_lengths, vector, asked, None, by, without=own
        )
        places: list[int] = []
        for place, row in enumerate(rows.tolist()):
            if row not in known:
                known[row] = row not in erased and is_there(str(model.users.id(row)))
            if known[row]:
                places.append(place)
            if len(places) == n:
                break
        if len(places) == n or len(rows) < asked:
            return rows[np.array(places, np.int64)], scores[np.array(places, np.int64)]
        asked *= 4


def popular(
    serving: Serving,
    n: int,
    allowed: Mask | None,
    by: Popularity = "count",
    fields: tuple[str, ...] | None = None,
) -> dict[str, Any]:
    """Return the allowed movies with the most ratings, of all time or of late."""
    may = serving.shelf.available if allowed is None else allowed
    trend = serving.trend() if by == "trend" else None
    order = serving.by_popularity
    if trend is not None:  # of movies that nobody rated of late, those that more people know
        order = order[np.argsort(-trend[order], kind="stable")]
    rows = order[np.flatnonzero(may[order])[:n]]
    extras: dict[str, list[Any]] = {"n_ratings": serving.n_ratings[rows].tolist()}
    if trend is not None:
        extras["trend"] = [round(of_late, 6) for of_late in trend[rows].tolist()]
    return {
        "model": serving.model_block,
        "matched": int(np.count_nonzero(may)),
        "movies": serving.shelf.lines(rows.tolist(), extras, fields),
    }
