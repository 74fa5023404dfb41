"""Every movie has one fate: the one that a naive walk through the stages gives it, in any world.

160 movies, so that reranking has more than it chooses from; any of them unavailable or gone from
the catalogue, and five that are newer than the model, with no vector or with one of their ratings.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.api.schemas.trace import Trace
from app.serving.catalogue import Catalogue
from app.serving.current import Serving
from app.serving.fresh_ratings import FreshRatings
from app.serving.lists import for_user
from app.serving.newcomers import ENOUGH
from app.serving.trace import STAGES, trace
from app.serving.wanted import Wanted
from app.store.records import Movie, RatingRecord
from recommender.data.ratings import Ratings
from recommender.generations import generation_path, load_generation, write_generation
from recommender.models.implicit_als import ImplicitALS
from recommender.reranking import Weights

N_MOVIES, N_USERS = 160, 60
NAMES = [f"m{number:03}" for number in range(N_MOVIES)] + ["a160", "z161", "a162", "z163", "a164"]
NEWCOMERS = NAMES[N_MOVIES:]
FILTERS = {
    None: lambda movie: True,
    "year >= 2040": lambda movie: movie.year >= 2040,
    'not "Art" in genres': lambda movie: "Art" not in movie.genres,
    'title == "Film 7"': lambda movie: movie.title == "Film 7",
    "year < 0": lambda movie: False,
}


@pytest.fixture(scope="module")
def generation(tmp_path_factory):
    """A model of four tastes; every user has rated the first movie as well."""
    chance = np.random.default_rng(3)
    picks = [chance.choice(N_MOVIES // 4, 12, replace=False) * 4 + u % 4 for u in range(N_USERS)]
    pairs = [(user, movie) for user in range(N_USERS) for movie in {0, *picks[user].tolist()}]
    ratings = Ratings.from_arrays(
        [f"u{user}" for user, _ in pairs],
        [NAMES[movie] for _, movie in pairs],
        chance.integers(1, 11, len(pairs)) / 2,
    )
    ranking = ImplicitALS(factors=4, regularization=0.01, epochs=8, threads=1).fit(ratings)
    folder = tmp_path_factory.mktemp("large")
    told = {"watermark": 0, "metrics": {}, "options": {}, "trained_at": "2026-11-23T10:00:00Z"}
    number = write_generation(folder, ranking, None, **told)
    return load_generation(generation_path(folder, number))


@dataclass(frozen=True)
class Case:
    """A catalogue, what was rated since the training, and what is asked for."""

    user: str
    wanted: Wanted
    movies: dict[str, Movie]
    changes: list[tuple[str, str, float | None]]


@st.composite
def cases(draw):
    numbers = st.sets(st.integers(0, len(NAMES) - 1), max_size=12)
    gone, hidden = draw(numbers), draw(numbers)
    movies = {
        name: Movie(
            name,
            f"Film {number}",
            1900 + number,
            ("Art", "Noir") if number % 3 else ("Kids",),
            number not in hidden,
        )
        for number, name in enumerate(NAMES)
        if number not in gone
    }
    changes = [
        (f"u{user}", movie, 4.0)
        for movie in NEWCOMERS
        for user in range(draw(st.sampled_from([0, ENOUGH - 1, ENOUGH, ENOUGH + 4])))
    ]
    user = draw(st.sampled_from(["u0", "u1", "u30", "stranger"]))
    rated = st.sampled_from(NAMES[:N_MOVIES:9] + NEWCOMERS)
    own = draw(st.dictionaries(rated, st.sampled_from([None, 0.5, 5.0]), max_size=5))
    changes += [(user, movie, stars) for movie, stars in own.items()]
    weight = st.sampled_from([0.0, 0.0, 0.5, 1.0])
    wanted = Wanted(
        draw(st.sampled_from([1, 2, 7, 12, 40, 200])),
        draw(st.booleans()),
        expression=draw(st.sampled_from(list(FILTERS))),
        weights=Weights(draw(weight), draw(weight), draw(weight)),
    )
    return Case(user, wanted, movies, changes)


def serve(generation, case):
    """Return what a request would have in its hands, and what it asks for."""
    fresh = FreshRatings(0, generation.ranking.items)
    for version, (user, movie, stars) in enumerate(case.changes, 1):
        fresh.apply(RatingRecord(user, movie, stars, 0, version))
    serving = Serving.of(generation, fresh, Catalogue(case.movies.values()))
    expression = case.wanted.expression
    mask = None if expression is None else serving.masks.of(expression)
    return serving, replace(case.wanted, allowed=mask)


class Naive:
    """The same by ids, one movie at a time."""

    def __init__(self, generation, case):
        self.model, self.case = generation.ranking, case
        self.items = [str(item) for item in self.model.item_ids]
        self.users = [str(user) for user in self.model.user_ids]
        self.names = self.items + sorted(set(case.movies) - set(self.items))
        self.changes = {(user, movie): stars for user, movie, stars in case.changes}
        self.rated = self._rated()
        self.vector = self._vector()
        self.scores = {movie: self._score(movie) for movie in self.names}
        with_score = [movie for movie in self.names if self.scores[movie] is not None]
        self.order = sorted(with_score, key=lambda movie: -self.scores[movie])

    def _trained(self):
        if self.case.user not in self.users:
            return {}
        items, values = self.model.ratings.of_user(self.users.index(self.case.user))
        return {self.items[i]: float(value) for i, value in zip(items, values, strict=True)}

    def _rated(self):
        changed = {m: stars for (who, m), stars in self.changes.items() if who == self.case.user}
        now = {**self._trained(), **changed}
        return {movie: stars for movie, stars in now.items() if stars is not None}

    def _vector(self):
        known = {movie: stars for movie, stars in self.rated.items() if movie in self.items}
        if known and known == self._trained():
            return self.model.user_factors[self.users.index(self.case.user)]
        return self.model.fold_in(list(known), list(known.values())).vector if known else None

    def _score(self, movie):
        if self.vector is None:
            by_users = self.model.ratings.by_item.indptr if movie in self.items else None
            place = self.items.index(movie) if movie in self.items else None
            count = 0 if place is None else by_users[place + 1] - by_users[place]
            return count / len(self.users)
        own = self._movie_vector(movie)
        if own is None:
            return None
        products = (float(a) * float(b) for a, b in zip(self.vector, own, strict=True))
        return float(np.float32(sum(products)))

    def _movie_vector(self, movie):
        if movie in self.items:
            return self.model.item_factors[self.items.index(movie)]
        by = {who: stars for (who, m), stars in self.changes.items() if m == movie and stars}
        by = {who: stars for who, stars in by.items() if who in self.users}
        if len(by) < ENOUGH:
            return None
        return self.model.fold_in_item(list(by), list(by.values())).vector

    def gone(self, movie):
        """Return why a movie is not among those that the best are taken from; ``None`` if it is."""
        record, wanted = self.case.movies.get(movie), self.case.wanted
        if record is None:
            return "not_in_catalogue"
        if not record.available:
            return "unavailable"
        if self.scores[movie] is None:
            return "no_vector"
        if not FILTERS[wanted.expression](record):
            return "filter"
        return "seen" if wanted.exclude_seen and movie in self.rated else None

    def pool(self):
        n = self.case.wanted.n
        reranked = self.vector is not None and self.case.wanted.weights.any
        size = min(max(10 * n, 100), 1000) if reranked else n
        return [movie for movie in self.order if self.gone(movie) is None][:size]

    def fates(self, listed):
        """Return for each movie why it is not in the list; ``None`` if it is."""
        pool = self.pool()
        fates = {}
        for movie in self.names:
            late = "reranked" if movie in pool else "score_too_low"
            fates[movie] = self.gone(movie) or (None if movie in listed else late)
        return fates


def ids(lines):
    return [line["movie_id"] for line in lines]


def tell(generation, case, asked):
    serving, wanted = serve(generation, case)
    name = serving.shelf.ids[asked % len(serving.shelf.ids)]
    told = orjson.loads(orjson.dumps(trace(serving, case.user, wanted, name)))
    Trace.model_validate(told)
    listed = orjson.loads(orjson.dumps(for_user(serving, case.user, wanted)[0]))
    assert told["movie"]["movie_id"] == name
    return told, ids(listed["movies"])


@given(case=cases(), asked=st.integers(0, N_MOVIES + 4))
@settings(max_examples=150, deadline=None)
def test_every_movie_has_the_fate_that_a_naive_walk_gives_it(generation, case, asked):
    told, listed = tell(generation, case, asked)
    naive = Naive(generation, case)
    fates, place = naive.fates(listed), {m: place for place, m in enumerate(naive.order, 1)}
    assert ids(told["movies"]) == listed
    groups = {group["reason"]: group for stage in told["stages"] for group in stage["dropped"]}
    assert set(groups) == set(fates.values()) - {None}
    for reason, group in groups.items():
        dropped = [movie for movie, why in fates.items() if why == reason]
        dropped.sort(key=lambda movie: place.get(movie, np.inf))
        assert group["movies"] == len(dropped)
        assert ids(group["examples"]) == dropped[:10]
    examples = [example for group in groups.values() for example in group["examples"]]
    for one in [*examples, told["movie"]]:
        record, score = case.movies.get(one["movie_id"]), naive.scores[one["movie_id"]]
        assert one["title"] == (None if record is None else record.title)
        assert one["score"] == (None if score is None else pytest.approx(score, abs=2e-6))
        assert one["rank"] == place.get(one["movie_id"])
    stage_of = {reason: stage for stage, why in STAGES.items() for reason in why}
    fate, reason = told["movie"], fates[told["movie"]["movie_id"]]
    assert (fate["reason"], fate["in_list"]) == (reason, reason is None)
    assert fate["dropped_by"] == stage_of.get(reason)
    assert fate["rank_now"] == (listed.index(fate["movie_id"]) + 1 if reason is None else None)


@given(case=cases())
@settings(max_examples=150, deadline=None)
def test_what_one_stage_lets_out_the_next_takes_in(generation, case):
    told, listed = tell(generation, case, 0)
    naive = Naive(generation, case)
    reranked = naive.vector is not None and case.wanted.weights.any
    assert [stage["stage"] for stage in told["stages"]] == list(STAGES)[: 6 if reranked else 5]
    left = len(naive.names)
    for stage in told["stages"]:
        assert stage["taken_in"] == left
        left -= sum(group["movies"] for group in stage["dropped"])
        assert stage["let_out"] == left
        assert all(group["reason"] in STAGES[stage["stage"]] for group in stage["dropped"])
        assert all(group["movies"] > 0 for group in stage["dropped"])
    assert left == len(listed)


@given(case=cases())
@settings(max_examples=150, deadline=None)
def test_the_list_says_what_places_its_movies_had_before_reranking(generation, case):
    told, listed = tell(generation, case, 0)
    pool, scores = Naive(generation, case).pool(), Naive(generation, case).scores
    assert [line["rank_now"] for line in told["movies"]] == list(range(1, len(listed) + 1))
    assert [line["rank"] for line in told["movies"]] == [pool.index(m) + 1 for m in listed]
    lowest = told["stages"][4]["lowest_score"]
    assert lowest == (pytest.approx(scores[pool[-1]], abs=2e-6) if pool else None)


def test_a_movie_of_another_shelf_is_an_error(generation):
    serving, wanted = serve(generation, Case("u0", Wanted(), {}, []))
    with pytest.raises(LookupError, match="neither the model nor the catalogue"):
        trace(serving, "u0", wanted, "what?")
