"""Lists for users and visitors, as the answer is to be sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from app.serving.people import Person, identify, visitor
from app.serving.pipeline import Ranked, predicted_stars, rank, reasons
from app.serving.wanted import Position
from recommender.data.decimals import to_decimals
from recommender.models.folded_user import FoldedUser

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import orjson

    from app.serving.current import Serving
    from app.serving.wanted import Wanted
    from recommender.arrays import Scores

_NO_ROWS, _NO_STARS = np.empty(0, np.int64), np.empty(0, np.float32)


def for_user(
    serving: Serving, user_id: str, wanted: Wanted
) -> tuple[dict[str, Any], Position | None]:
    """Return the list of a user, known or not, and where its next page begins, if there is one."""
    person = identify(serving, user_id)
    if wanted.after is not None:
        person = as_begun(serving, user_id, person, wanted.after)
    body, next_page = for_person(serving, person, wanted)
    return {"user_id": user_id, **body}, next_page


def for_ratings(
    serving: Serving, ratings: Mapping[str, float], wanted: Wanted
) -> tuple[dict[str, Any], Position | None]:
    """Return the list of a visitor who is known by these ratings alone."""
    person, unknown = visitor(serving, ratings)
    if wanted.after is not None:
        person = as_begun(serving, None, person, wanted.after)
    body, next_page = for_person(serving, person, wanted)
    return {**body, "unknown_movies": unknown}, next_page


def whose_list(serving: Serving, user_id: str) -> str:
    """Name a user's list: that of somebody who came back after an erasure is another one."""
    erased = serving.erased.version_of(user_id)
    return f"user {user_id} since {erased}" if erased else f"user {user_id}"


def for_person(
    serving: Serving, person: Person, wanted: Wanted
) -> tuple[dict[str, Any], Position | None]:
    """Return a list for somebody."""
    ranked = rank(serving, person, wanted)
    body: dict[str, Any] = {"model": {**serving.model_block, "fresh_ratings": person.fresh}}
    if person.ranking is None:
        body["fallback"] = "popular"
    body["matched"] = ranked.matched
    if ranked.effect is not None:
        body["effect"] = ranked.effect
    body["movies"] = shaped(serving, person, ranked, wanted)
    return body, _next_page(serving, person, ranked, wanted)


def shaped(serving: Serving, person: Person, ranked: Ranked, wanted: Wanted) -> orjson.Fragment:
    """Encode the lines of a list."""
    extras: dict[str, Sequence[Any]] = {
        "score": rounded(ranked.scores),
        "predicted_rating": predicted_stars(serving, person, ranked.rows, wanted),
    }
    if wanted.explain:
        extras["because"] = reasons(serving, person, ranked.rows)
    return serving.shelf.lines(ranked.rows.tolist(), extras, wanted.fields)


def rounded(scores: Scores) -> list[float]:
    """Return float32 scores to six decimals: they hold no more."""
    return to_decimals(scores, 6)


def as_begun(serving: Serving, user_id: str | None, person: Person, after: Position) -> Person:
    """Return the person as they were when a list was begun, so that its pages are of one list.

    What they have rated since is seen all the same.
    """
    if after.popular:
        return Person(None, fresh=after.fresh, rated_newcomers=person.rated)
    model = serving.generation.ranking
    vector = after.vector
    if vector is None:  # as the training left it
        row = -1 if user_id is None else serving.find_user(user_id)
        if person.trained or row < 0:
            return person
        vector = model.user_vector(row)
    known = person.ranking
    if known is not None and np.array_equal(vector, known.vector):
        return person
    rated, values = (_NO_ROWS, _NO_STARS) if known is None else (known.rated, known.values)
    begun = FoldedUser(model, vector, rated, values)
    return person._replace(ranking=begun, fresh=after.fresh, trained=False, since_changed=True)


def _next_page(serving: Serving, person: Person, ranked: Ranked, wanted: Wanted) -> Position | None:
    """Return where the next page begins; reranked lists are whole, and have none."""
    if ranked.more <= 0 or wanted.weights.any or not len(ranked.rows):
        return None
    known = person.ranking
    vector = None if known is None or person.trained else known.vector
    last = serving.shelf.ids[int(ranked.rows[-1])]
    return Position(float(ranked.scores[-1]), last, vector, known is None, person.fresh)
