"""From a person to a list: mask, take the best, rerank, explain; identifying comes before it.

Everything here is a pure function of one :class:`~app.serving.current.Serving` reference and the
request; rows and arrays stay rows and arrays until the answer is shaped. What each stage let
through is told by :mod:`app.serving.trace`, which asks these functions one after the other.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from recommender.data.decimals import to_decimals
from recommender.reranking import measure, rerank, taste_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from app.serving.current import Serving
    from app.serving.people import Person
    from app.serving.wanted import Position, Wanted
    from recommender.arrays import Mask, Rows, Scores, Vector

REASONS = 3
"""How many reasons are given for one movie."""

LARGEST_TABLE = 1_000_000
"""So many contributions are worked out at a time."""

POOL = 10
"""Reranking chooses among so many times as many movies as are asked for."""
LEAST_POOL, LARGEST_POOL = 100, 1_000


class Candidates(NamedTuple):
    """What a list may hold.

    Attributes
    ----------
    allowed
        (n_rows,) bool: available, with a vector where vectors rank, let through by the filter,
        and behind the page before; what was seen stands here too.
    matched
        How many movies the list has, on all its pages: without what was seen, unless that may
        be seen again.
    left
        How many of these stand behind the page before.
    """

    allowed: Mask
    matched: int
    left: int


class Ranked(NamedTuple):
    """A list, best first.

    Attributes
    ----------
    rows, scores
        (n,) int64 and (n,) float32; for a list that is the same for all, shares of users.
    matched
        How many movies could have been in it, those of earlier pages included.
    more
        How many of them stand behind it.
    effect
        What reranking changed; ``None`` without it.
    """

    rows: Rows
    scores: Scores
    matched: int
    more: int
    effect: dict[str, Any] | None = None


def rank(serving: Serving, person: Person, wanted: Wanted) -> Ranked:
    """Return the list of a person."""
    among = candidates(serving, person, wanted)
    effect = None
    if person.ranking is None:
        rows = popular_rows(serving, person, wanted, among)
        scores = popularity(serving, rows)
    elif wanted.weights.any:
        rows, scores = take_best(serving, person, wanted, among, pool_size(wanted.n))
        chosen, effect = rearrange(serving, person, (rows, scores), wanted)
        rows, scores = rows[chosen], scores[chosen]
    else:
        rows, scores = take_best(serving, person, wanted, among, wanted.n)
    return Ranked(rows, scores, among.matched, among.left - len(rows), effect)


def candidates(serving: Serving, person: Person, wanted: Wanted) -> Candidates:
    """Say what the list may hold: what is there, matches the filter, and was not seen."""
    in_general = serving.ranked if person.ranking is not None else serving.shelf.available
    if wanted.allowed is None:
        allowed = in_general
        n_allowed = serving.n_ranked if person.ranking is not None else serving.shelf.n_available
    else:
        filtered = wanted.allowed
        allowed = filtered if in_general is serving.shelf.available else filtered & in_general
        n_allowed = int(np.count_nonzero(allowed))
    matched = n_allowed - _hidden(person, wanted, allowed)
    if wanted.after is None:
        return Candidates(allowed, matched, matched)
    behind = allowed & _behind(serving, person, wanted.after)
    left = int(np.count_nonzero(behind)) - _hidden(person, wanted, behind)
    return Candidates(behind, matched, left)


def _hidden(person: Person, wanted: Wanted, allowed: Mask) -> int:
    """Return how many of the allowed movies were seen, and are not to be seen again."""
    if not wanted.exclude_seen:
        return 0
    hidden = 0 if person.ranking is None else np.count_nonzero(allowed[person.ranking.rated])
    if len(person.rated_newcomers):
        hidden += np.count_nonzero(allowed[person.rated_newcomers])
    return int(hidden)


def _behind(serving: Serving, person: Person, after: Position) -> Mask:
    """(n_rows,) bool: what stands behind a place in the order of all."""
    if person.ranking is None:
        scores = popularity(serving, np.arange(len(serving.shelf.ids)))
    else:
        scores = all_scores(serving, person.ranking.vector)
    limit = np.float32(after.score)
    behind: Mask = scores < limit
    tied = np.flatnonzero(scores == limit)
    behind[tied[tied > serving.shelf.last_row_until(after.movie_id)]] = True
    return behind


def take_best(
    serving: Serving, person: Person, wanted: Wanted, among: Candidates, n: int
) -> tuple[Rows, Scores]:
    """Return the rows and scores of the n best, best first; equal scores by row.

    Raises
    ------
    ValueError
        When nothing is known of the person; see :func:`popular_rows`.
    """
    folded = person.ranking
    if folded is None:
        raise ValueError("nothing is known of this person; see popular_rows")
    vector, allowed = folded.vector, among.allowed
    seen = folded.rated if wanted.exclude_seen else None
    n_items = serving.n_items
    if len(allowed) == n_items:
        return folded.model.best_rows(vector, n, allowed, seen)
    rows, scores = folded.model.best_rows(vector, n, allowed[:n_items], seen)
    new = allowed[n_items:]
    if wanted.exclude_seen and len(person.rated_newcomers):
        new = new.copy()
        new[person.rated_newcomers - n_items] = False
    places, new_scores = serving.newcomers.best(vector, n, new)
    if not len(places):
        return rows, scores
    rows, scores = np.append(rows, places + n_items), np.append(scores, new_scores)
    best = np.lexsort((rows, -scores))[:n]
    return rows[best], scores[best]


def all_scores(serving: Serving, vector: Vector) -> Scores:
    """(n_rows,) float32: what ranks every movie; 0 for one without a vector."""
    scores = serving.generation.ranking.score_all(vector)
    new = serving.newcomers
    return np.append(scores, new.scores(vector)) if len(new) else scores


def scores_of(serving: Serving, vector: Vector, rows: Rows) -> Scores:
    """(n,) float32: what ranks some movies, as a list would have it."""
    ranking, n_items = serving.generation.ranking, serving.n_items
    new = rows >= n_items
    if not new.any():
        return ranking.score_rows(vector, rows)
    scores = ranking.score_rows(vector, np.where(new, 0, rows))
    scores[new] = serving.newcomers.scores(vector, rows[new] - n_items)
    return scores


def popular_rows(serving: Serving, person: Person, wanted: Wanted, among: Candidates) -> Rows:
    """Return the rows of what most people rated, among what may appear."""
    order = serving.by_popularity
    may = among.allowed[order]
    if wanted.exclude_seen and len(person.rated_newcomers):
        may &= ~np.isin(order, person.rated_newcomers)
    return order[np.flatnonzero(may)[: wanted.n]]


def popularity(serving: Serving, rows: Rows) -> Scores:
    """(n,) float32: which part of the users has rated each movie."""
    n_users = max(len(serving.generation.ranking.users), 1)
    return (serving.n_ratings[rows] / n_users).astype(np.float32)


def pool_size(n: int) -> int:
    """Return among how many movies n are chosen by reranking."""
    return min(max(POOL * n, LEAST_POOL), LARGEST_POOL)


def rearrange(
    serving: Serving, person: Person, pool: tuple[Rows, Scores], wanted: Wanted
) -> tuple[Rows, dict[str, Any]]:
    """Choose from a pool, and measure what that changes.

    Returns
    -------
    (≤ n,) places in the pool, and the measures of the list with and without it.
    """
    rows, scores = pool
    given = {
        "information": serving.information[rows],
        "genres": serving.genres[rows],
        "taste": taste(serving, person),
    }
    vectors = serving.vectors(rows)
    chosen = rerank(scores, vectors, wanted.n, wanted.weights, **given)

    def measured(places: Rows) -> dict[str, Any]:
        of_list = {name: given[name][places] for name in ("information", "genres")}
        measures = measure(scores[places], vectors[places], **of_list, taste=given["taste"])
        return {name: _rounded(value) for name, value in asdict(measures).items()}

    plain = np.arange(len(chosen))
    effect = {
        "pool": len(rows),
        "replaced": int(np.count_nonzero(chosen >= len(chosen))),
        "before": measured(plain),
        "after": measured(chosen),
    }
    return chosen, effect


def taste(serving: Serving, person: Person) -> NDArray[np.float64]:
    """(n_genres,) which part of what a person likes is of each genre, by their stars."""
    if person.ranking is None:
        return np.zeros(serving.genres.shape[1])
    weights = np.maximum(person.ranking.values.astype(np.float64), 0)
    return taste_of(serving.genres[person.ranking.rated], weights)


def predicted_stars(
    serving: Serving, person: Person, rows: Rows, wanted: Wanted
) -> Sequence[float | None]:
    """Return the stars that the person would give, on the scale; ``None`` where none are known."""
    stars, n_items = serving.generation.stars, serving.n_items
    if stars is None:
        return [None] * len(rows)
    scale = wanted.scale
    if person.stars is None:
        known = (stars.base_of(row) if row < n_items else None for row in rows.tolist())
        return [None if value is None else scale.clip(value) for value in known]
    if len(serving.newcomers) == 0:
        return to_decimals(stars.score_rows(person.stars, rows), 2, scale.minimum, scale.maximum)
    new = rows >= n_items
    values = stars.score_rows(person.stars, np.where(new, 0, rows))
    values[new] = serving.newcomers.stars_of(person.stars, rows[new] - n_items)
    return to_decimals(values, 2, scale.minimum, scale.maximum)


def reasons(serving: Serving, person: Person, rows: Rows) -> list[list[dict[str, Any]]]:
    """Return for each row the strongest positive contributions of movies that may be shown."""
    if person.ranking is None or person.since_changed:
        return [[] for _ in rows]
    rated = person.ranking.rated.tolist()
    vectors = serving.vectors(rows)
    found = []
    # Some at a time: a table of everything shown by everything rated takes much memory.
    together = max(LARGEST_TABLE // max(len(rated), 1), 1)
    for begin in range(0, len(rows), together):
        parts = person.ranking.contributions_to(vectors[begin : begin + together])
        found += [_strongest(serving, rated, part) for part in parts]
    return found


def _strongest(
    serving: Serving, rated: list[int], parts: NDArray[np.float64]
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for place in np.argsort(-parts, kind="stable").tolist():
        if parts[place] <= 0 or len(found) == REASONS:
            break
        title = serving.shelf.title(rated[place])
        if title is not None:  # a movie that was taken out must not come back as a reason
            found.append(
                {
                    "movie_id": serving.shelf.ids[rated[place]],
                    "title": title,
                    "contribution": round(float(parts[place]), 6),
                }
            )
    return found


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
