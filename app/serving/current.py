"""The model of the moment.

A request takes one reference, :class:`Serving`, and uses only that: everything in it belongs to
one generation. Taking up another is one assignment. All changes are made by the thread of the
event loop, so that no two can cross.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self, cast

import numpy as np
from numpy.typing import NDArray
from starlette.requests import Request

from app.filtering import Masks
from app.problems import ProblemError
from app.serving.catalogue import Catalogue
from app.serving.erased import Erased
from app.serving.fresh_ratings import FreshRatings
from app.serving.newcomers import Newcomers
from app.serving.shelf import Shelf
from app.store.records import Erasure, Movie, RatingRecord
from recommender.arrays import Mask, Rows, frozen
from recommender.generations import Generation
from recommender.models.nearness import lengths
from recommender.reranking import genre_distribution, self_information

_OF_THE_SHELF = frozenset({"masks", "n_ratings", "by_popularity", "information", "genres"})


@dataclass(frozen=True, eq=False)
class Serving:
    """One generation with all that is needed to answer from it.

    What depends on the generation and the catalogue and not on the request is made once, when it
    is first asked for. Rows are those of the shelf: the model's items, and newcomers after them.

    Attributes
    ----------
    generation
        The two models and their manifest.
    fresh
        What changed since its watermark.
    shelf
        The catalogue in the order of its items.
    newcomers
        The vectors of movies that are newer than the generation.
    n_ratings_of_items
        (n_items,) int64: how often each item was rated, as the model knows it.
    """

    generation: Generation
    fresh: FreshRatings
    shelf: Shelf
    newcomers: Newcomers
    n_ratings_of_items: NDArray[np.int64]

    @classmethod
    def of(cls, generation: Generation, fresh: FreshRatings, catalogue: Catalogue) -> Self:
        """Prepare a generation."""
        ranking = generation.ranking
        counts = np.bincount(ranking.ratings.indices, minlength=len(ranking.items))
        shelf = Shelf.of(ranking.items, catalogue)
        newcomers = Newcomers.of(generation, shelf, fresh)
        return cls(generation, fresh, shelf, newcomers, counts.astype(np.int64))

    def restocked(self, shelf: Shelf) -> Self:
        """Return it with another shelf, or with this one and what newcomers' ratings made of them.

        What was worked out of the shelf alone stays, as long as it is the same.
        """
        newcomers = Newcomers.of(self.generation, shelf, self.fresh, self.newcomers)
        restocked = replace(self, shelf=shelf, newcomers=newcomers)
        if shelf is self.shelf:
            for name in _OF_THE_SHELF & self.__dict__.keys():
                restocked.__dict__[name] = self.__dict__[name]
        return restocked

    @property
    def number(self) -> int:
        """The number of the generation."""
        return self.generation.number

    @property
    def erased(self) -> Erased:
        """Who was erased since the generation was trained."""
        return self.fresh.erased

    def find_user(self, user_id: str) -> int:
        """Return the row of a user of the training, -1 for anybody else and who was erased."""
        row = self.generation.ranking.users.find(user_id)
        return -1 if row in self.fresh.erased.rows else row

    @property
    def n_items(self) -> int:
        """How many rows are the model's."""
        return self.shelf.n_items

    @cached_property
    def masks(self) -> Masks:
        """Which rows a filter lets through; of this shelf, so that a change of it begins anew."""
        return Masks(self.shelf.movies, self.shelf.available, self.n_ratings)

    @cached_property
    def n_ratings(self) -> NDArray[np.int64]:
        """(n_rows,) how often each movie was rated, as the model knows it."""
        return np.append(self.n_ratings_of_items, np.zeros(len(self.newcomers), np.int64))

    @cached_property
    def ranked(self) -> Mask:
        """(n_rows,) bool, read-only: which available movies have a vector."""
        if self.newcomers.known.all():
            return self.shelf.available
        has_one = np.append(np.ones(self.n_items, np.bool_), self.newcomers.known)
        return frozen(self.shelf.available & has_one)

    @cached_property
    def n_ranked(self) -> int:
        """How many available movies have a vector."""
        return int(np.count_nonzero(self.ranked))

    @cached_property
    def by_popularity(self) -> Rows:
        """(n_rows,) all rows, those with the most ratings first."""
        return np.argsort(-self.n_ratings, kind="stable")

    @cached_property
    def information(self) -> NDArray[np.float64]:
        """(n_rows,) bits: how surprising it is that somebody knows each movie."""
        return self_information(self.n_ratings, len(self.generation.ranking.users))

    @cached_property
    def genres(self) -> NDArray[np.float64]:
        """(n_rows, n_genres) how much of each genre each movie has."""
        return genre_distribution(self.shelf.genre_table())

    @cached_property
    def model_block(self) -> dict[str, Any]:
        """Which model answers, for answers that no user's ratings go into."""
        trained_at = self.generation.manifest.trained_at
        return {"generation": self.number, "trained_at": trained_at, "fresh_ratings": 0}

    def trend(self) -> NDArray[np.float64]:
        """(n_rows,) how much each movie was rated of late, what came in since included.

        As it counts when the newest rating was given: the newest counts 1.
        """
        learned = self.generation.trend
        weights = np.zeros(len(self.shelf.ids))
        if learned is None:
            return weights
        weights[: self.n_items] = learned.weights
        for movie_id, added in list(self.fresh.of_late().items()):
            row = self.shelf.row(movie_id)
            if row >= 0:
                weights[row] += added
        newest: NDArray[np.float64] = weights / learned.count(self.fresh.newest(learned.reference))
        return newest

    @cached_property
    def embeddings(self) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """(n_rows, k) float32 embeddings of all movies, and (n_rows,) their lengths."""
        ranking = self.generation.ranking
        if not len(self.newcomers):
            return ranking.item_factors, ranking.item_lengths
        new = self.newcomers.ranking.vectors
        table = np.concatenate((ranking.item_factors, new))
        return table, np.append(ranking.item_lengths, lengths(new))

    def has_vector(self, row: int) -> bool:
        """Whether a movie has an embedding."""
        return row < self.n_items or bool(self.newcomers.known[row - self.n_items])

    def vectors(self, rows: Rows) -> NDArray[np.float32]:
        """(n, k) float32: the embeddings of some movies."""
        new = rows >= self.n_items
        if not new.any():
            return self.generation.ranking.item_factors[rows]
        vectors = self.generation.ranking.item_factors[np.where(new, 0, rows)]
        vectors[new] = self.newcomers.ranking.vectors[rows[new] - self.n_items]
        return vectors


_FEW = 4
"""So many movies are lined up one by one; more, by lining up all."""


class Current:
    """Holds the reference, the catalogue, and what is known of generations that were refused.

    Attributes
    ----------
    catalogue
        Every movie of the store.
    serving
        What the next request takes; ``None`` until a generation is taken up.
    refused
        Why a published generation could not be taken up, by its number; ``None`` where the
        pointer to it could not be read.
    on_erasure
        Called when users were erased, for those who keep answers that may name them.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.serving: Serving | None = None
        # What the shelf does not show yet: lined up by the next request, and not by each change,
        # so that many changes in a row cost as much as one.
        self._unlined: set[str] = set()
        self._moved = False  # whether ratings came in that newcomers' vectors are made of
        self.refused: dict[int | None, str] = {}
        self.on_erasure: list[Callable[[], None]] = []

    def take(self) -> Serving:
        """Return the reference for one request.

        Raises
        ------
        ProblemError
            ``no-model`` when there is none.
        """
        if self._unlined or self._moved:
            self._line_up()
        serving = self.serving
        if serving is None:
            raise ProblemError("no-model")
        return serving

    def swap(self, serving: Serving, catalogue_revision: int) -> None:
        """Serve another generation from the next request on.

        Parameters
        ----------
        serving
            Made in another thread while this one went on.
        catalogue_revision
            Of the catalogue when ``serving`` was made.
        """
        before = self.serving
        if before is not None:
            # What was acknowledged, and who was erased, after the store was read for the new one.
            serving.fresh.merge(before.fresh)
        self.serving = serving
        self._moved = True  # what was merged may be of newcomers
        if catalogue_revision != self.catalogue.revision:
            self.restock()

    def learn(self, record: RatingRecord) -> None:
        """Take in a change that was committed: the next request knows it."""
        if self.serving is not None and self.serving.fresh.apply(record):
            self._moved = True

    def erase(self, user_id: str, erasure: Erasure, salt: str) -> int | None:
        """Forget a user who was erased: the next request finds nobody.

        Returns
        -------
        The number of the generation that still holds the user's vector, ``None`` when none does.
        """
        if self.serving is None:
            return None
        row = self.serving.generation.ranking.users.find(user_id)
        self.note_erasures([(erasure, row)], salt)
        self.forget([user_id])
        return None if row < 0 else self.serving.number

    def note_erasures(self, found: Iterable[tuple[Erasure, int]], salt: str) -> None:
        """Hide users who were erased elsewhere, each by the row in the model that serves."""
        if self.serving is not None:
            for erasure, row in found:
                self.serving.erased.note(erasure, salt, row)
            self._erased()

    def forget(self, user_ids: Iterable[str]) -> None:
        """Let go of what users who were erased had changed since the model was trained."""
        if self.serving is not None:
            for user_id in user_ids:
                self.serving.fresh.forget(user_id)
            self._erased()

    def _erased(self) -> None:
        self._moved = True  # their ratings of newcomers have gone too
        for listener in self.on_erasure:
            listener()

    def put_movie(self, movie: Movie) -> None:
        """Take in a movie that was stored."""
        self.catalogue.put(movie)
        self._unlined.add(movie.movie_id)

    def remove_movie(self, movie_id: str) -> None:
        """Let go of a movie that was deleted."""
        self.catalogue.remove(movie_id)
        self._unlined.add(movie_id)

    def restock(self) -> None:
        """Line up the whole catalogue again, after it was replaced."""
        self._unlined.clear()
        self._moved = False
        if self.serving is not None:
            items = self.serving.generation.ranking.items
            self.serving = self.serving.restocked(Shelf.of(items, self.catalogue))

    def _line_up(self) -> None:
        """Line up what was changed since the last request, however much that is, at once."""
        serving = self.serving
        if serving is None or len(self._unlined) > _FEW:
            self.restock()
            return
        shelf = serving.shelf
        for movie_id in self._unlined:
            shelf = shelf.with_movie(movie_id, self.catalogue.get(movie_id))
        self._unlined.clear()
        self._moved = False
        self.serving = serving.restocked(shelf)


def current(request: Request) -> Current:
    """Return the holder of the model, from the application of a request."""
    return cast("Current", request.app.state.current)


# A coroutine though it awaits nothing: FastAPI sends other dependencies to a thread.
async def current_serving(request: Request) -> Serving:
    """Depend on the model of the moment with all that belongs to it."""
    return current(request).take()
