"""Takes up what the trainer publishes, and never lets go of a model that works.

At the start the published generation is loaded; when it cannot be, the last one that can. Then a
task looks every second whether another one was published, and whether somebody else stored
ratings. Loading, checking and warming happen in a thread while requests go on; only the
assignment happens in the event loop. A generation that is refused leaves the old one serving and
is not tried again until it is published anew.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from app.serving.current import Serving
from app.serving.erasing import erased_since, learn_erasures
from app.serving.fresh_ratings import FreshRatings
from app.serving.lists import for_ratings, for_user
from app.serving.neighbours import similar_movies
from app.serving.wake_up import WakeUp
from app.serving.wanted import Wanted
from recommender.data.rating_scale import RatingScale
from recommender.errors import IncompatibleGenerationError, RecommenderError
from recommender.generations import (
    current_number,
    generation_numbers,
    generation_path,
    load_generation,
    read_manifest,
)
from recommender.reranking import Weights
from recommender.solvers.threads import single_threaded_blas

if TYPE_CHECKING:
    from pathlib import Path

    from app.serving.current import Current
    from app.store.interface import Store
    from app.store.records import Movie, RatingRecord
    from recommender.generations import Generation

_AT_A_TIME = 200
PAGE = 10_000
"""How many changes are read from the store, and learnt without a pause, at a time."""

logger = logging.getLogger(__name__)

_Stamp = tuple[int, int]


class Loader:
    """Keeps :class:`~app.serving.current.Current` up to date.

    Parameters
    ----------
    current
        What requests read.
    store
        Where fresh ratings come from.
    models
        The directory that generations are published in; it need not exist yet.
    """

    def __init__(self, current: Current, store: Store, models: Path) -> None:
        self.current = current
        self.store = store
        self.models = models
        self._refused_stamp: _Stamp | None = None
        self._taken_stamp: _Stamp | None = None
        self._caught_up = 0
        self._trouble: str | None = None
        self._looking = asyncio.Lock()
        self.swaps = {"taken": 0, "refused": 0}

    async def start(self) -> None:
        """Load the published generation, or else the last one that can be loaded.

        Returns without a model when there is none; ``current.refused`` says why.
        """
        await self.look()
        if self.current.serving is not None:
            return
        for number in reversed(await asyncio.to_thread(generation_numbers, self.models)):
            if number in self.current.refused or await asyncio.to_thread(self._is_barred, number):
                continue
            if await self._take_up(number):
                logger.warning("serving an earlier generation", extra=_fields(number))
                return
        logger.warning("no model is loaded; recommendations are answered with 503")

    async def run(self, seconds: float) -> None:
        """Look again and again until cancelled; at once when another process tells of a change."""
        wake_up = WakeUp(self.store)
        while True:
            movies_changed = await wake_up.wait(seconds)
            try:
                await self.look()
                if movies_changed:
                    await self._reload_catalogue()
                await self.catch_up()
                self._trouble = None
            except Exception as error:  # whatever it is, the next look may work
                self._complain(error)

    async def look(self) -> None:
        """Take up the published generation if it is another one than the one being served."""
        async with self._looking:
            await self._look()

    async def _look(self) -> None:
        stamp = await asyncio.to_thread(self._stamp)
        if stamp is None or stamp == self._refused_stamp:
            return
        try:
            number = await asyncio.to_thread(current_number, self.models)
        except RecommenderError as error:
            self._refuse(None, error)
            self._refused_stamp = stamp
            return
        serving = self.current.serving
        if number is None:
            return
        if serving is not None and serving.number == number and stamp == self._taken_stamp:
            return
        if await self._take_up(number):
            self._taken_stamp = stamp
            self._refused_stamp = None
            self.current.refused.clear()
        else:
            self._refused_stamp = stamp

    async def refresh(self) -> None:
        """Learn what an import stored: movies as well as ratings; soon again if it cannot now."""
        try:
            await self._reload_catalogue()
            await self.catch_up()
        except Exception as error:  # the next look will do it
            self._complain(error)

    async def catch_up(self) -> None:
        """Learn what others stored: an import, the tombstones of a deleted movie, an erasure."""
        await learn_erasures(self.current, self.store)
        while self.current.serving is not None:
            since = max(self._caught_up, self.current.serving.fresh.watermark)
            changes = await asyncio.to_thread(self._changes, since)
            if any(self._is_news(change) for change in changes):
                await self._reload_catalogue()
            for place, change in enumerate(changes):
                if place % _AT_A_TIME == _AT_A_TIME - 1:
                    await asyncio.sleep(0)  # an import may bring many, and others ask meanwhile
                self.current.learn(change)
            if not changes:
                return
            self._caught_up = max(self._caught_up, changes[-1].version)

    async def _take_up(self, number: int) -> bool:
        try:
            await self._reload_catalogue()
            revision = self.current.catalogue.revision
            serving, read_to = await asyncio.to_thread(self._prepare, number)
        except (RecommenderError, OSError, MemoryError) as error:
            self._refuse(number, error)
            return False
        self.current.swap(serving, revision)
        self.swaps["taken"] += 1
        self.current.refused.pop(number, None)
        self._caught_up = read_to
        logger.info("serving a generation", extra=_fields(number))
        return True

    async def _reload_catalogue(self) -> None:
        while True:
            revision = self.current.catalogue.revision
            movies = await asyncio.to_thread(self._other_movies)
            if movies is None:
                return
            if revision == self.current.catalogue.revision:  # nobody changed a movie meanwhile
                self.current.catalogue.replace(movies)
                self.current.restock()
                return

    # In a thread:

    def _is_barred(self, number: int) -> bool:
        """Whether the gate refused it: then it serves if somebody insists, and not by default."""
        try:
            return read_manifest(generation_path(self.models, number)).is_refused
        except RecommenderError:
            return False  # whoever takes it up says what is wrong with it

    def _prepare(self, number: int) -> tuple[Serving, int]:
        generation = load_generation(generation_path(self.models, number))
        check_servable(generation)
        ratings = generation.ranking.ratings
        seen = self._seen_by(generation)
        fresh = FreshRatings(
            seen,
            ratings.items,
            self.store.changes_of,
            count=generation.trend.count if generation.trend else None,
            erased=erased_since(self.store, ratings.users, seen),
        )
        since = fresh.watermark
        while changes := self._changes(since):
            fresh.apply_all(changes)
            since = changes[-1].version
        serving = Serving.of(generation, fresh, self.current.catalogue)
        with single_threaded_blas():
            _warm(serving)
        return serving, since

    def _other_movies(self) -> list[Movie] | None:
        """Read the catalogue; ``None`` when it is what is known here, so that nothing need stop."""
        movies = self.store.all_movies()
        return None if self.current.catalogue.holds(movies) else movies

    def _seen_by(self, generation: Generation) -> int:
        """Return up to which version of the store the model knows everything."""
        watermark = generation.manifest.watermark
        if watermark <= self.store.version():
            return watermark
        # An older database was put back: its next versions are not those that the model saw.
        logger.warning(
            "the model has seen more than the database holds; every stored rating counts as fresh "
            "until the next training",
            extra=_fields(generation.number),
        )
        return 0

    def _is_news(self, change: RatingRecord) -> bool:
        return change.rating is not None and change.movie_id not in self.current.catalogue

    def _changes(self, since: int) -> list[RatingRecord]:
        return self.store.changes_since(since, PAGE)

    def _stamp(self) -> _Stamp | None:
        try:
            status = (self.models / "CURRENT").stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_ino

    def _refuse(self, number: int | None, error: Exception) -> None:
        self.current.refused[number] = reason(error, self.models)
        self.swaps["refused"] += 1
        logger.error("refused a generation: %s", error, extra=_fields(number))

    def _complain(self, error: Exception) -> None:
        told = f"{type(error).__name__}: {error}"
        if told != self._trouble:  # once, not every second
            logger.error("cannot look for a new model or new ratings", exc_info=error)
        self._trouble = told


def check_servable(generation: Generation) -> None:
    """Refuse a generation that is sound, and not of this service.

    Raises
    ------
    IncompatibleGenerationError
        When its ids are not those of a database.
    """
    ratings = generation.ranking.ratings
    if ratings.users.holds_numbers or ratings.items.holds_numbers:
        raise IncompatibleGenerationError(
            "its ids are whole numbers; the service needs a model trained from its database"
        )


def reason(error: Exception, models: Path) -> str:
    """Return why a generation was refused; where models are kept is nobody's business outside."""
    return str(error).replace(f"{models}/", "")


def _fields(number: int | None) -> dict[str, dict[str, int | None]]:
    return {"fields": {"generation": number}}


def _warm(serving: Serving) -> None:
    """Ask once for everything, so that no request waits for a compiler or a cache."""
    ranking = serving.generation.ranking
    scale = RatingScale()  # which one makes no difference to what is warmed
    wanted = Wanted(10, True, True, scale, weights=Weights(0.5, 0.5, 0.5))
    for_user(serving, str(ranking.users.id(0)), Wanted(scale=scale))
    for_user(serving, str(ranking.users.id(0)), wanted)
    for_ratings(serving, {serving.shelf.ids[0]: scale.maximum}, wanted)
    similar_movies(serving, serving.shelf.ids[0], 1, None, "cosine")
