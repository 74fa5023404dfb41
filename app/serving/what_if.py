"""A user's list if some ratings were other ones, and how movies would move in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from app.serving.lists import rounded
from app.serving.people import fold_in, identify
from app.serving.pipeline import all_scores, candidates, popularity, predicted_stars, reasons

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import orjson

    from app.serving.current import Serving
    from app.serving.people import Person
    from app.serving.wanted import Wanted
    from recommender.arrays import Rows, Scores

TOLD = (
    "rank",
    "rank_before",
    "score",
    "score_before",
    "predicted_rating",
    "predicted_rating_before",
    "because",
)
"""What such a list adds to a movie."""


@dataclass(frozen=True, slots=True)
class Changed:
    """A person with other ratings.

    Attributes
    ----------
    person
        Whom the changes would make.
    unknown
        Ids of movies that the model does not know, so that their ratings say nothing to it.
    not_rated
        Ids of movies whose rating was to be removed, and that have none.
    """

    person: Person
    unknown: list[str]
    not_rated: list[str]


@dataclass(frozen=True, slots=True)
class Order:
    """All movies that somebody's list may hold, best first.

    Attributes
    ----------
    rows
        (m,) int64.
    scores
        (n_rows,) float32; for a list that is the same for all, shares of users.
    ranks
        (n_rows,) int64: the place of each movie, from 1; 0 for those that the list may not hold.
    matched
        How many it may hold.
    """

    rows: Rows
    scores: Scores
    ranks: Rows
    matched: int

    @classmethod
    def of(cls, serving: Serving, person: Person, wanted: Wanted) -> Order:
        """Line up every movie, as a list of all of them would."""
        among = candidates(serving, person, wanted)
        may = among.allowed
        if wanted.exclude_seen:
            may = may.copy()
            may[person.rated] = False
        if person.ranking is None:
            scores = popularity(serving, np.arange(len(may)))
            rows = serving.by_popularity[may[serving.by_popularity]]
        else:
            scores = all_scores(serving, person.ranking.vector)
            rows = np.flatnonzero(may)
            rows = rows[np.argsort(-scores[rows], kind="stable")]
        ranks = np.zeros(len(may), np.int64)
        ranks[rows] = np.arange(1, len(rows) + 1)
        return cls(rows, scores, ranks, among.matched)


def what_if(
    serving: Serving,
    user_id: str,
    stars: Mapping[str, float],
    removed: Sequence[str],
    wanted: Wanted,
) -> dict[str, Any]:
    """Return the list that a user would have with other ratings; nothing is stored.

    Parameters
    ----------
    serving
        The model of the moment.
    user_id
        Known or not.
    stars
        Ratings by movie that the user would have given, in place of those before.
    removed
        Movies that the user would not have rated; none of ``stars``.
    wanted
        How the list is asked for; its weights are not looked at.
    """
    before = identify(serving, user_id)
    changed = change(serving, before, stars, removed)
    after = changed.person
    was, would_be = Order.of(serving, before, wanted), Order.of(serving, after, wanted)
    body: dict[str, Any] = {
        "user_id": user_id,
        "model": {**serving.model_block, "fresh_ratings": after.fresh},
    }
    if after.ranking is None:
        body["fallback"] = "popular"
    body["matched"] = would_be.matched
    body["movies"] = _lines(serving, before, was, after, would_be, wanted)
    body["left"] = _left(serving, before, was, would_be, wanted.n)
    body["unknown_movies"] = changed.unknown
    body["not_rated"] = changed.not_rated
    return body


def change(
    serving: Serving, before: Person, stars: Mapping[str, float], removed: Sequence[str]
) -> Changed:
    """Return whom somebody would be with other ratings.

    When the model knows none of what would change, the vector stays as it is, to the last bit.
    """
    shelf, known = serving.shelf, before.ranking
    rated: dict[int, float] = {}
    if known is not None:
        rated = dict(zip(known.rated.tolist(), known.values.tolist(), strict=True))
    newcomers = set(before.rated_newcomers.tolist())
    unknown, not_rated, learned = [], [], 0
    for movie_id, given in stars.items():
        row = shelf.row(movie_id)
        if 0 <= row < shelf.n_items:
            rated[row] = given
            learned += 1
        else:
            unknown.append(movie_id)
            newcomers |= {row} - {-1}
    for movie_id in removed:
        row = shelf.row(movie_id)
        if row in rated:
            del rated[row]
            learned += 1
        elif 0 <= row < shelf.n_items:
            not_rated.append(movie_id)
        else:
            unknown.append(movie_id)
            newcomers.discard(row)
    seen = np.array(sorted(newcomers), np.int64)
    if learned:
        person = fold_in(serving, rated, before.fresh, seen)
    else:
        person = before._replace(rated_newcomers=seen)
    return Changed(person, unknown, not_rated)


def _lines(
    serving: Serving, before: Person, was: Order, after: Person, would_be: Order, wanted: Wanted
) -> orjson.Fragment:
    """Encode the new list, each movie with what it was before."""
    rows = would_be.rows[: wanted.n]
    knew = before.ranking is not None
    ranks_before = was.ranks[rows].tolist()
    had_a_place = [knew and rank > 0 for rank in ranks_before]
    columns = (
        would_be.ranks[rows].tolist(),
        _where(had_a_place, ranks_before),
        rounded(would_be.scores[rows]),
        _where(had_a_place, rounded(was.scores[rows])),
        predicted_stars(serving, after, rows, wanted),
        predicted_stars(serving, before, rows, wanted),
    )
    extras: dict[str, Sequence[Any]] = dict(zip(TOLD, columns, strict=False))  # all but reasons
    if wanted.explain:
        extras["because"] = reasons(serving, after, rows)
    return serving.shelf.lines(rows.tolist(), extras, wanted.fields)


def _left(serving: Serving, before: Person, was: Order, would_be: Order, n: int) -> orjson.Fragment:
    """Encode those of the n best before that are no more among the n best."""
    best = was.rows[:n] if before.ranking is not None else was.rows[:0]
    ranks = would_be.ranks[best]
    gone = best[(ranks == 0) | (ranks > n)]
    extras = {
        "rank_before": was.ranks[gone].tolist(),
        "rank": [rank or None for rank in would_be.ranks[gone].tolist()],
    }
    return serving.shelf.lines(gone.tolist(), extras)


def _where(chosen: Sequence[bool], values: Sequence[Any]) -> list[Any]:
    return [value if one else None for one, value in zip(chosen, values, strict=True)]
