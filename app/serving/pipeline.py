"""From a user to a list: identify, find the vector, mask, take the best, explain, shape.

Everything here is a pure function of one :class:`~app.serving.current.Serving` reference and the
request; rows and arrays stay rows and arrays until the answer is shaped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from recommender.top_k import top_k

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from app.serving.current import Serving
    from app.serving.fresh_ratings import Change
    from recommender.arrays import Mask, Rows, Scores
    from recommender.data.rating_scale import RatingScale
    from recommender.models.factor_model import FactorModel
    from recommender.models.folded_user import FoldedUser

REASONS = 3
"""How many reasons are given for one movie."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for.

    Attributes
    ----------
    n
        How many movies.
    exclude_seen
        Whether to leave out what the user has rated.
    explain
        Whether to say why.
    scale
        On which predicted ratings are told.
    allowed
        (n_items,) bool: which movies the list may hold; ``None`` for all that are available.
    """

    n: int
    exclude_seen: bool
    explain: bool
    scale: RatingScale
    allowed: Mask | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a vector.

    Attributes
    ----------
    ranking
        As the ranking model sees them: vector, rated rows, stars.
    stars
        As the model of stars sees them; ``None`` when the generation has none.
    """

    ranking: FoldedUser
    stars: FoldedUser | None


def for_user(serving: Serving, user_id: str, wanted: Wanted) -> dict[str, Any]:
    """Return the list of a user, known or not, as the answer is to be sent."""
    person, fresh = identify(serving, user_id)
    return {"user_id": user_id, **_answer(serving, person, fresh, wanted)}


def for_ratings(serving: Serving, ratings: Mapping[str, float], wanted: Wanted) -> dict[str, Any]:
    """Return the list of a visitor who is known by these ratings alone."""
    ids = list(ratings)
    rows = serving.generation.ranking.items.rows(ids)
    known = {int(row): ratings[ids[place]] for place, row in enumerate(rows) if row >= 0}
    unknown = [ids[place] for place, row in enumerate(rows) if row < 0]
    person = _fold_in(serving, known) if known else None
    return {**_answer(serving, person, 0, wanted), "unknown_movies": unknown}


def identify(serving: Serving, user_id: str) -> tuple[Person | None, int]:
    """Find the user's vector.

    Returns
    -------
    The person, ``None`` when nothing is known of them, and how many changes newer than the model
    were taken into account.
    """
    ranking = serving.generation.ranking
    changes = serving.fresh.of_user(user_id)
    found = ranking.users.find(user_id)
    row = None if found < 0 else found
    rated, fresh = _merged(ranking, row, changes) if changes else ({}, 0)
    if fresh:
        return (_fold_in(serving, rated) if rated else None), fresh
    return (None if row is None else _as_trained(serving, row)), 0


def _as_trained(serving: Serving, user_row: int) -> Person:
    generation = serving.generation
    stars = generation.stars.folded(user_row) if generation.stars is not None else None
    return Person(generation.ranking.folded(user_row), stars)


def _merged(
    ranking: FactorModel, user_row: int | None, changes: Mapping[str, Change]
) -> tuple[dict[int, float], int]:
    """Lay a user's changes over what the model was trained on.

    Returns
    -------
    The stars of each rated row as they stand now, and how many changes made a difference: one of
    a movie that the model does not know, or a deletion of what it never saw, makes none.
    """
    rated: dict[int, float] = {}
    if user_row is not None:
        rows, values = ranking.ratings.of_user(user_row)
        rated = dict(zip(rows.tolist(), values.tolist(), strict=True))
    fresh = 0
    changed_rows = ranking.items.rows(list(changes))
    for row, change in zip(changed_rows.tolist(), changes.values(), strict=True):
        if row < 0 or (change.rating is None and row not in rated):
            continue
        fresh += 1
        if change.rating is None:
            del rated[row]
        else:
            rated[row] = change.rating
    return rated, fresh


def _fold_in(serving: Serving, rated: Mapping[int, float]) -> Person:
    generation = serving.generation
    rows = np.fromiter(rated, dtype=np.int64, count=len(rated))
    values = np.fromiter(rated.values(), dtype=np.float32, count=len(rated))
    ranking = generation.ranking.fold_in_rows(rows, values)
    stars = generation.stars.fold_in_rows(rows, values) if generation.stars is not None else None
    return Person(ranking, stars)


def _answer(serving: Serving, person: Person | None, fresh: int, wanted: Wanted) -> dict[str, Any]:
    model = {
        "generation": serving.number,
        "trained_at": serving.generation.manifest.trained_at,
        "fresh_ratings": fresh,
    }
    allowed = serving.shelf.available if wanted.allowed is None else wanted.allowed
    if person is None:
        rows, matched = most_popular(serving, wanted.n, allowed)
        return {
            "model": model,
            "fallback": "popular",
            "matched": matched,
            "movies": _fallback_lines(serving, rows, wanted),
        }
    seen = person.ranking.rated if wanted.exclude_seen else None
    rows, scores = person.ranking.model.best_rows(person.ranking.vector, wanted.n, allowed, seen)
    hidden = 0 if seen is None else np.count_nonzero(allowed[seen])
    return {
        "model": model,
        "matched": int(np.count_nonzero(allowed) - hidden),
        "movies": _lines(serving, person, rows, scores, wanted),
    }


def most_popular(serving: Serving, n: int, allowed: Mask) -> tuple[Rows, int]:
    """Return the rows of the allowed movies with the most ratings, and how many are allowed."""
    rows = top_k(serving.n_ratings.astype(np.float64), n, allowed)
    return rows, int(np.count_nonzero(allowed))


def movie_line(serving: Serving, row: int) -> dict[str, Any]:
    """Return what every list says of a movie."""
    movie = serving.shelf.movies[row]
    if movie is None:
        raise LookupError("a list may hold movies of the catalogue only")
    return {
        "movie_id": movie.movie_id,
        "title": movie.title,
        "year": movie.year,
        "genres": movie.genres,
    }


def _lines(
    serving: Serving, person: Person, rows: Rows, scores: Scores, wanted: Wanted
) -> list[dict[str, Any]]:
    stars: list[float | None] = [None] * len(rows)
    if person.stars is not None:
        predicted = person.stars.model.score_rows(person.stars.vector, rows)
        stars = [wanted.scale.clip(value) for value in predicted]
    reasons = _reasons(serving, person, rows) if wanted.explain else None
    lines = []
    for place, row in enumerate(rows.tolist()):
        line = movie_line(serving, row)
        line["score"] = round(float(scores[place]), 6)
        line["predicted_rating"] = stars[place]
        if reasons is not None:
            line["because"] = reasons[place]
        lines.append(line)
    return lines


def _fallback_lines(serving: Serving, rows: Rows, wanted: Wanted) -> list[dict[str, Any]]:
    generation = serving.generation
    n_users = max(len(generation.ranking.users), 1)
    lines = []
    for row in rows.tolist():
        line = movie_line(serving, row)
        line["score"] = round(int(serving.n_ratings[row]) / n_users, 6)
        stars = generation.stars
        line["predicted_rating"] = wanted.scale.clip(stars.base_of(row)) if stars else None
        if wanted.explain:
            line["because"] = []
        lines.append(line)
    return lines


def _reasons(serving: Serving, person: Person, rows: Rows) -> list[list[dict[str, Any]]]:
    """Return for each row the strongest positive contributions of movies that may be shown."""
    parts: NDArray[np.float64] = person.ranking.contributions(rows)
    rated = person.ranking.rated.tolist()
    return [_strongest(serving, rated, part) for part in parts]


def _strongest(
    serving: Serving, rated: list[int], parts: NDArray[np.float64]
) -> list[dict[str, Any]]:
    reasons: list[dict[str, Any]] = []
    for place in np.argsort(-parts, kind="stable").tolist():
        if parts[place] <= 0 or len(reasons) == REASONS:
            break
        title = serving.shelf.title(rated[place])
        if title is not None:  # a movie that was taken out must not come back as a reason
            reasons.append(
                {
                    "movie_id": serving.shelf.ids[rated[place]],
                    "title": title,
                    "contribution": round(float(parts[place]), 6),
                }
            )
    return reasons
