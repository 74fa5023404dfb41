"""One list for several people, with what each of them would have of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from app.serving.lists import rounded
from app.serving.people import Person, identify
from app.serving.pipeline import (
    Candidates,
    pool_size,
    popular_rows,
    popularity,
    predicted_stars,
    scores_of,
    take_best,
)
from recommender.reranking import combine, fair
from recommender.top_k import top_k

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from typing import Literal

    import orjson
    from numpy.typing import NDArray

    from app.serving.current import Serving
    from app.serving.wanted import Wanted
    from recommender.arrays import Mask, Rows, Scores
    from recommender.reranking import Strategy

    Combined = Literal["average", "least_misery"]

TOLD = ("score", "predicted_rating", "members")
"""What a list for a group adds to a movie."""

_AT_ONCE = 8_192
"""So many movies are scored for all members at once: some megabytes, however many there are."""


def for_group(
    serving: Serving, user_ids: Sequence[str], strategy: Strategy, wanted: Wanted
) -> dict[str, Any]:
    """Return the list of a group.

    The average and the least misery order all movies that may appear; a fair list is chosen among
    the best of each member. Members of whom nothing is known have no say in it; what they have
    rated is seen all the same.

    Parameters
    ----------
    serving
        The model of the moment.
    user_ids
        The members, each once.
    strategy
        How their scores become one list.
    wanted
        How the list is asked for; its weights and reasons are not looked at.
    """
    people = {user_id: identify(serving, user_id) for user_id in user_ids}
    known = {user_id: one for user_id, one in people.items() if one.ranking is not None}
    among = _candidates(serving, people.values(), wanted)
    fresh = sum(person.fresh for person in people.values())
    body: dict[str, Any] = {
        "user_ids": list(user_ids),
        "strategy": strategy,
        "model": {**serving.model_block, "fresh_ratings": fresh},
    }
    if not known:
        body["fallback"] = "popular"
        rows = popular_rows(serving, Person(None), wanted, among)  # what was seen is out already
        scores = popularity(serving, rows)
    elif strategy == "fair":
        rows, scores = _fair(serving, known, wanted, among)
    else:
        rows, scores = _best(serving, known, wanted, among, strategy)
    body["matched"] = among.matched
    body["movies"] = _lines(serving, known, strategy, wanted, rows, scores)
    body["unknown_users"] = [user_id for user_id in user_ids if user_id not in known]
    return body


def _candidates(serving: Serving, people: Collection[Person], wanted: Wanted) -> Candidates:
    """Say what the list may hold: what is there, matches the filter, and nobody has seen."""
    anyone = any(person.ranking is not None for person in people)
    allowed: Mask = serving.ranked if anyone else serving.shelf.available
    if wanted.allowed is not None:
        allowed = allowed & wanted.allowed
    if wanted.exclude_seen:
        allowed = allowed.copy()
        for person in people:
            allowed[person.rated] = False
    matched = int(np.count_nonzero(allowed))
    return Candidates(allowed, matched, matched)


def _best(
    serving: Serving,
    known: Mapping[str, Person],
    wanted: Wanted,
    among: Candidates,
    strategy: Combined,
) -> tuple[Rows, Scores]:
    """Return the rows and the group's scores of the n best, best first; equal scores by row."""
    rows = np.flatnonzero(among.allowed)
    scores = np.empty(len(rows), np.float32)
    for at in range(0, len(rows), _AT_ONCE):
        some = slice(at, at + _AT_ONCE)
        scores[some] = combine(_scores(serving, known, rows[some]), strategy)
    best = top_k(scores, wanted.n)
    return rows[best], scores[best]


def _fair(
    serving: Serving, known: Mapping[str, Person], wanted: Wanted, among: Candidates
) -> tuple[Rows, Scores]:
    """Return rows in the order in which they were chosen, and the mean score of each."""
    size = pool_size(wanted.n)
    pools = [take_best(serving, one, wanted, among, size)[0] for one in known.values()]
    pool = np.unique(np.concatenate(pools))
    scores = _scores(serving, known, pool)
    chosen = fair(scores, wanted.n)
    return pool[chosen], combine(scores[:, chosen], "average")


def _scores(serving: Serving, known: Mapping[str, Person], rows: Rows) -> NDArray[np.float32]:
    """(members, m) float32: what ranks some movies for each member."""
    vectors = [one.ranking.vector for one in known.values() if one.ranking is not None]
    return np.stack([scores_of(serving, vector, rows) for vector in vectors])


def _lines(
    serving: Serving,
    known: Mapping[str, Person],
    strategy: Strategy,
    wanted: Wanted,
    rows: Rows,
    scores: Scores,
) -> orjson.Fragment:
    """Encode the lines of the list: what the group has of each movie, and what each member has."""
    stars = [predicted_stars(serving, person, rows, wanted) for person in known.values()]
    own = [rounded(of_member) for of_member in _scores(serving, known, rows)] if known else []
    together = (
        [_together(of_movie, strategy) for of_movie in zip(*stars, strict=True)]
        if known
        else predicted_stars(serving, Person(None), rows, wanted)
    )
    extras: dict[str, Sequence[Any]] = {
        "score": rounded(scores),
        "predicted_rating": together,
        "members": [
            [
                {"user_id": user_id, "score": own[m][at], "predicted_rating": stars[m][at]}
                for m, user_id in enumerate(known)
            ]
            for at in range(len(rows))
        ],
    }
    return serving.shelf.lines(rows.tolist(), extras, wanted.fields)


def _together(stars: Sequence[float | None], strategy: Strategy) -> float | None:
    """Return the group's stars of a movie: of least misery the fewest, else the mean."""
    given = [one for one in stars if one is not None]
    if not given:  # the generation predicts none, for nobody
        return None
    return min(given) if strategy == "least_misery" else round(sum(given) / len(given), 2)
