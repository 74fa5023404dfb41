"""The model of the moment.

A request takes one reference, :class:`Serving`, and uses only that: everything in it belongs to
one generation. Taking up another is one assignment. All changes are made by the thread of the
event loop, so that no two can cross.
"""

from dataclasses import dataclass, field, replace
from typing import Self, cast

import numpy as np
from numpy.typing import NDArray
from starlette.requests import Request

from app.filtering import Masks
from app.problems import ProblemError
from app.serving.catalogue import Catalogue, Shelf
from app.serving.fresh_ratings import FreshRatings
from app.store.records import Movie, RatingRecord
from recommender.generations import Generation


@dataclass(frozen=True, slots=True, eq=False)
class Serving:
    """One generation with all that is needed to answer from it.

    Attributes
    ----------
    generation
        The two models and their manifest.
    fresh
        What changed since its watermark.
    shelf
        The catalogue in the order of its items.
    n_ratings
        (n_items,) int64: how often each item was rated, as the model knows it.
    masks
        Which items a filter lets through; of this shelf, so that a change of it begins anew.
    """

    generation: Generation
    fresh: FreshRatings
    shelf: Shelf
    n_ratings: NDArray[np.int64]
    masks: Masks = field(init=False)

    def __post_init__(self) -> None:
        masks = Masks(self.shelf.movies, self.shelf.available, self.n_ratings)
        object.__setattr__(self, "masks", masks)

    @classmethod
    def of(cls, generation: Generation, fresh: FreshRatings, catalogue: Catalogue) -> Self:
        """Prepare all that depends on the generation and not on the request."""
        ranking = generation.ranking
        n_ratings = np.bincount(ranking.ratings.indices, minlength=len(ranking.items))
        shelf = Shelf.of(ranking.items, catalogue)
        return cls(generation, fresh, shelf, n_ratings.astype(np.int64))

    @property
    def number(self) -> int:
        """The number of the generation."""
        return self.generation.number


class Current:
    """Holds the reference, the catalogue, and what is known of generations that were refused."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.serving: Serving | None = None
        self.refused: dict[int | None, str] = {}

    def take(self) -> Serving:
        """Return the reference for one request.

        Raises
        ------
        ProblemError
            ``no-model`` when there is none.
        """
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
            # What was acknowledged after the store was read for the new one.
            serving.fresh.merge(before.fresh)
        if catalogue_revision != self.catalogue.revision:
            shelf = Shelf.of(serving.generation.ranking.items, self.catalogue)
            serving = replace(serving, shelf=shelf)
        self.serving = serving

    def learn(self, record: RatingRecord) -> None:
        """Take in a change that was committed: the next request knows it."""
        if self.serving is not None:
            self.serving.fresh.apply(record)

    def put_movie(self, movie: Movie) -> None:
        """Take in a movie that was stored."""
        self.catalogue.put(movie)
        self._restock(movie.movie_id)

    def remove_movie(self, movie_id: str) -> None:
        """Let go of a movie that was deleted."""
        self.catalogue.remove(movie_id)
        self._restock(movie_id)

    def restock(self) -> None:
        """Line up the whole catalogue again, after it was replaced."""
        if self.serving is not None:
            shelf = Shelf.of(self.serving.generation.ranking.items, self.catalogue)
            self.serving = replace(self.serving, shelf=shelf)

    def _restock(self, movie_id: str) -> None:
        serving = self.serving
        if serving is None or movie_id not in serving.generation.ranking.items:
            return
        row = serving.generation.ranking.items.row(movie_id)
        shelf = serving.shelf.with_movie(row, self.catalogue.get(movie_id))
        self.serving = replace(serving, shelf=shelf)


def current(request: Request) -> Current:
    """Return the holder of the model, from the application of a request."""
    return cast("Current", request.app.state.current)


# A coroutine though it awaits nothing: FastAPI sends other dependencies to a thread.
async def current_serving(request: Request) -> Serving:
    """Depend on the model of the moment with all that belongs to it."""
    return current(request).take()
