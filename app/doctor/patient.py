"""What checks look at, read once and only when a check asks for it. Nothing is changed."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, cast

from sqlalchemy import text

from app.store import StoreError, open_store
from app.store.connections import database_path
from recommender.errors import GenerationError
from recommender.generations import (
    current_number,
    generation_numbers,
    generation_path,
    load_generation,
    read_manifest,
)

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

    from app.settings import Settings
    from app.store import Movie, Snapshot, Store
    from app.store.queries import ReadingStore
    from recommender.generations import Generation, Manifest


class Unknown(Exception):  # noqa: N818 - it is no error of the check that raises it
    """A check cannot tell: what it looks at cannot be read, as another check says."""


@dataclass(eq=False)
class Patient:
    """One installation.

    Attributes
    ----------
    settings
        Where everything is.
    now
        Seconds since 1970.
    """

    settings: Settings
    now: float

    def close(self) -> None:
        """Let go of the database."""
        with suppress(Unknown):
            if "_opened" in self.__dict__:
                self.store.close()

    # ----- the database -----

    @cached_property
    def database(self) -> Path | None:
        """The file of the database; ``None`` when it is none of SQLite."""
        try:
            return database_path(self.settings.database, self.settings.data_dir)
        except StoreError:
            return None

    @cached_property
    def _opened(self) -> Store | StoreError:
        try:
            return open_store(self.settings.database, self.settings.data_dir, read_only=True)
        except StoreError as error:
            return error

    @property
    def trouble(self) -> StoreError | None:
        """Why the store cannot be read."""
        return self._opened if isinstance(self._opened, StoreError) else None

    @property
    def store(self) -> Store:
        """The store, for reading."""
        if isinstance(self._opened, StoreError):
            raise Unknown
        return self._opened

    @property
    def database_time(self) -> float:
        """The clock of a database that is a server of its own, in seconds since 1970."""
        with cast("ReadingStore", self.store).reading() as connection:
            now = text("SELECT CAST(extract(epoch FROM clock_timestamp()) AS double precision)")
            return float(connection.execute(now).scalar_one())

    @cached_property
    def movies(self) -> list[Movie]:
        """The catalogue."""
        return self.store.all_movies()

    @cached_property
    def available(self) -> frozenset[str]:
        """The ids of movies that may be recommended."""
        return frozenset(movie.movie_id for movie in self.movies if movie.available)

    @cached_property
    def snapshot(self) -> Snapshot:
        """All live ratings."""
        return self.store.snapshot()

    @property
    def ratings(self) -> pl.DataFrame:
        """Columns user, item, rating, timestamp; at least one row."""
        if self.snapshot.ratings.is_empty():
            raise Unknown
        return self.snapshot.ratings

    @cached_property
    def by_movie(self) -> dict[str, int]:
        """How often each movie was rated."""
        counts = self.snapshot.ratings.group_by("item").len()
        return dict(zip(counts["item"].to_list(), counts["len"].to_list(), strict=True))

    @cached_property
    def by_user(self) -> pl.DataFrame:
        """Columns user and len: how often each user rated, most first."""
        return self.ratings.group_by("user").len().sort("len", "user", descending=[True, False])

    # ----- the models -----

    @property
    def models(self) -> Path:
        """Where models are published."""
        return self.settings.models_path

    @cached_property
    def numbers(self) -> list[int]:
        """The generations on disk, oldest first."""
        return generation_numbers(self.models)

    @cached_property
    def current(self) -> int | None:
        """The number of the current generation; a pointer that cannot be read is told elsewhere."""
        try:
            return current_number(self.models)
        except GenerationError:
            return None

    @cached_property
    def loaded(self) -> dict[int, Generation | GenerationError]:
        """Every generation, or why it cannot be opened."""
        found: dict[int, Generation | GenerationError] = {}
        for number in self.numbers:
            try:
                found[number] = load_generation(generation_path(self.models, number))
            except GenerationError as error:
                found[number] = error
        return found

    @cached_property
    def manifests(self) -> dict[int, Manifest]:
        """The manifests that can be read."""
        found = {}
        for number in self.numbers:
            with suppress(GenerationError):
                found[number] = read_manifest(generation_path(self.models, number))
        return found

    @property
    def generation(self) -> Generation:
        """The current generation."""
        found = None if self.current is None else self.loaded.get(self.current)
        if found is None or isinstance(found, GenerationError):
            raise Unknown
        return found
