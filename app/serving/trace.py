"""Why this list: what every stage of the pipeline took in and let out, and why it dropped the rest.

Nothing is decided here. The list is the one that :func:`~app.serving.pipeline.rank` makes; what
each stage let through is asked of the same functions, one after the other. Every movie of the
shelf has one fate: it is in the list, or the first stage that did not let it through dropped it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from app.serving.lists import rounded
from app.serving.people import identify
from app.serving.pipeline import (
    all_scores,
    candidates,
    pool_size,
    popularity,
    rank,
    reasons,
    take_best,
)

if TYPE_CHECKING:
    import orjson

    from app.serving.current import Serving
    from app.serving.people import Person
    from app.serving.pipeline import Ranked
    from app.serving.wanted import Wanted
    from recommender.arrays import Mask, Rows, Scores

EXAMPLES = 10
"""How many of the movies that were dropped for one reason are named."""

STAGES = {
    "catalogue": ("not_in_catalogue", "unavailable"),
    "vector": ("no_vector",),
    "filter": ("filter",),
    "seen": ("seen",),
    "top_n": ("score_too_low",),
    "rerank": ("reranked",),
}
"""The stages in their order, and for which reasons each drops movies."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How all movies stand for one person, whether they may appear or not.

    Attributes
    ----------
    scores
        (n_rows,) float32: what ranks each; without meaning where there is no vector.
    places
        (n_rows,) int64: each movie's place in the order of all, from 0; those without a vector
        come last.
    n_scored
        How many have a score.
    """

    scores: Scores
    places: Rows
    n_scored: int

    @classmethod
    def of(cls, serving: Serving, person: Person) -> Standing:
        """Score every movie, and line all up; of somebody unknown, by how many rated each."""
        rows = np.arange(len(serving.shelf.ids))
        if person.ranking is None:
            order, scores, n_scored = serving.by_popularity, popularity(serving, rows), len(rows)
        else:
            scores = all_scores(serving, person.ranking.vector)
            unscored = np.append(np.zeros(serving.n_items, np.bool_), ~serving.newcomers.known)
            order = np.lexsort((rows, -scores, unscored))  # the last key counts most
            n_scored = len(rows) - int(np.count_nonzero(unscored))
        places = np.empty_like(rows)
        places[order] = rows
        return cls(scores, places, n_scored)

    def told(self, row: int) -> dict[str, Any]:
        """Return the score and the rank, from 1, of a movie; ``None`` where it has none."""
        if self.places[row] >= self.n_scored:
            return {"score": None, "rank": None}
        (score,) = rounded(self.scores[[row]])
        return {"score": score, "rank": int(self.places[row]) + 1}


@dataclass(frozen=True, slots=True)
class Run:
    """One way through the pipeline, and what it held at each stage.

    Attributes
    ----------
    serving, person, wanted
        Of what model the list is, whose, and how it was asked for.
    may_appear
        (n_rows,) bool: what the filter let through, and all stages before it.
    pool, pool_scores
        What the best were taken from by reranking, best first; without that, the list.
    ranked
        The list.
    standing
        How all movies stand for this person.
    dropped
        For each reason, in the order of the stages, (n_rows,) bool: what it took out.
    """

    serving: Serving
    person: Person
    wanted: Wanted
    may_appear: Mask
    pool: Rows
    pool_scores: Scores
    ranked: Ranked
    standing: Standing
    dropped: dict[str, Mask] = field(default_factory=dict)

    @classmethod
    def of(cls, serving: Serving, user_id: str, wanted: Wanted) -> Run:
        """Make a user's list."""
        person = identify(serving, user_id)
        ranked = rank(serving, person, wanted)
        among = candidates(serving, person, wanted)
        pool, scores = ranked.rows, ranked.scores
        if ranked.effect is not None:
            pool, scores = take_best(serving, person, wanted, among, pool_size(wanted.n))
        standing = Standing.of(serving, person)
        run = cls(serving, person, wanted, among.allowed, pool, scores, ranked, standing)
        left = np.ones(len(among.allowed), np.bool_)
        for reason, passes in run._let_through().items():
            run.dropped[reason] = left & ~passes
            left = left & passes
        return run

    def _let_through(self) -> dict[str, Mask]:
        """Return for each reason, in the order of the stages, (n_rows,) bool: whom it spares."""
        serving, person = self.serving, self.person
        movies, available = serving.shelf.movies, serving.shelf.available
        seen = person.rated if self.wanted.exclude_seen else np.empty(0, np.int64)
        return {
            "not_in_catalogue": np.array([movie is not None for movie in movies], np.bool_),
            "unavailable": available,
            "no_vector": available if person.ranking is None else serving.ranked,
            "filter": self.may_appear,
            "seen": ~_mask(seen, len(movies)),
            "score_too_low": _mask(self.pool, len(movies)),
            "reranked": _mask(self.ranked.rows, len(movies)),
        }


def trace(
    serving: Serving, user_id: str, wanted: Wanted, movie_id: str | None = None
) -> dict[str, Any]:
    """Return what became of every movie on the way to a user's list.

    Parameters
    ----------
    serving
        The model of the moment.
    user_id
        Known or not.
    wanted
        How the list is asked for; its first page.
    movie_id
        A movie of the shelf whose fate is told in particular; ``None`` for none.

    Raises
    ------
    LookupError
        When the shelf has no such movie.
    """
    run = Run.of(serving, user_id, wanted)
    body = {
        "user_id": user_id,
        "model": {**serving.model_block, "fresh_ratings": run.person.fresh},
        "identified": _identified(run.person),
        "stages": _stages(run),
        "movies": _listed(run),
    }
    if movie_id is not None:
        body["movie"] = _fate(run, movie_id)
    return body


def _identified(person: Person) -> dict[str, Any]:
    known = person.ranking
    found, length = "nobody", None
    if known is not None:
        found = "trained" if person.trained else "folded_in"
        length = round(float(np.linalg.norm(known.vector.astype(np.float64))), 6)
    return {
        "as": found,
        "ratings": 0 if known is None else len(known.rated),
        "fresh_ratings": person.fresh,
        "vector_length": length,
    }


def _stages(run: Run) -> list[dict[str, Any]]:
    """Tell what each stage did; of reranking, only when there was some."""
    last = rounded(run.pool_scores[-1:])
    more: dict[str, dict[str, Any]] = {
        "filter": {"expression": run.wanted.expression},
        "top_n": {"lowest_score": last[0] if last else None},
    }
    told = []
    left = len(run.serving.shelf.ids)
    for stage, why in STAGES.items():
        if stage == "rerank" and run.ranked.effect is None:
            continue
        dropped = [_group(run, reason) for reason in why if run.dropped[reason].any()]
        taken_in, left = left, left - sum(group["movies"] for group in dropped)
        counts = {"stage": stage, "taken_in": taken_in, "let_out": left, "dropped": dropped}
        told.append({**counts, **more.get(stage, {})})
    return told


def _group(run: Run, reason: str) -> dict[str, Any]:
    """Tell of the movies that were dropped for one reason: how many, and the best of them."""
    rows = np.flatnonzero(run.dropped[reason])
    best = rows[np.argsort(run.standing.places[rows])[:EXAMPLES]].tolist()
    return {"reason": reason, "movies": len(rows), "examples": [_named(run, row) for row in best]}


def _named(run: Run, row: int) -> dict[str, Any]:
    """Name any movie, also one that no list may show: to say that it was dropped is no showing."""
    movie = run.serving.shelf.movies[row]
    title = None if movie is None else movie.title
    name = {"movie_id": run.serving.shelf.ids[row], "title": title}
    return {**name, **run.standing.told(row)}


def _listed(run: Run) -> orjson.Fragment:
    """Encode the list: with what place each movie had before reranking, and has now."""
    serving, ranked = run.serving, run.ranked
    rows = ranked.rows.tolist()
    before = {row: place for place, row in enumerate(run.pool.tolist(), 1)}
    extras: dict[str, list[Any]] = {
        "score": rounded(ranked.scores),
        "rank": [before[row] for row in rows],
        "rank_now": list(range(1, len(rows) + 1)),
    }
    if run.wanted.explain:
        extras["because"] = reasons(serving, run.person, ranked.rows)
    return serving.shelf.lines(rows, extras)


def _fate(run: Run, movie_id: str) -> dict[str, Any]:
    """Tell where one movie went, and what made its score."""
    serving, known = run.serving, run.person.ranking
    row = serving.shelf.row(movie_id)
    if row < 0:
        raise LookupError("neither the model nor the catalogue has this movie")
    place = np.flatnonzero(run.ranked.rows == row)
    reason = next((reason for reason, mask in run.dropped.items() if mask[row]), None)
    because, total = [], None
    if known is not None and serving.has_vector(row):
        asked = np.array([row])
        because = reasons(serving, run.person, asked)[0]
        total = round(float(known.contributions_to(serving.vectors(asked)).sum()), 6)
    return {
        **_named(run, row),
        "in_list": reason is None,
        "rank_now": int(place[0]) + 1 if len(place) else None,
        "dropped_by": next((stage for stage, why in STAGES.items() if reason in why), None),
        "reason": reason,
        "because": because,
        "contributions_sum": total,
    }


def _mask(rows: Rows, n_rows: int) -> Mask:
    mask = np.zeros(n_rows, np.bool_)
    mask[rows] = True
    return mask
