"""How this process learns of erasures, and what of a user who was erased is still somewhere."""

from __future__ import annotations

import asyncio
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from app.serving.erased import Erased, UserDigests
from app.store.erasures import SALT, digest_of
from recommender.errors import GenerationError
from recommender.generations import generation_numbers, generation_path, open_users, read_manifest

if TYPE_CHECKING:
    from pathlib import Path

    from app.serving.current import Current
    from app.serving.fresh_ratings import FreshRatings
    from app.store.interface import Store
    from app.store.records import Erasure
    from recommender.data.vocabulary import Vocabulary


def erased_since(store: Store, users: Vocabulary, watermark: int) -> Erased:
    """Return who of the users of a model was erased after it was trained; for a thread."""
    erased = Erased(users, watermark)
    news = _news(store, erased)
    for erasure, row in news.found:
        erased.note(erasure, news.salt, row)
    erased.read_to = news.read_to
    return erased


async def learn_erasures(current: Current, store: Store) -> None:
    """Take in the erasures that other processes made, and those of an import or a restore."""
    while (serving := current.serving) is not None:
        news = await asyncio.to_thread(_news, store, serving.erased)
        if news.read_to == serving.erased.read_to:
            return
        if current.serving is None or current.serving.erased is not serving.erased:
            continue  # another model was taken up meanwhile, with other rows
        # In this order: from here on nothing old is taken in, and then what there is goes.
        current.note_erasures(news.found, news.salt)
        current.forget(await asyncio.to_thread(_of_before, serving.fresh))
        # Last, so that whoever is cut off before it leaves the rest to the next look.
        serving.erased.read_to = news.read_to
        return


class _News(NamedTuple):
    found: list[tuple[Erasure, int]]
    salt: str
    read_to: int


def _news(store: Store, erased: Erased) -> _News:
    """Return erasures that are not known yet, each with its row, and the salt of the database."""
    read_to = erased.read_to
    erasures = store.erasures_since(read_to)
    if not erasures:
        return _News([], "", read_to)
    salt = store.get_fact(SALT) or ""
    return _News(erased.find_all(erasures, salt), salt, erasures[-1].version)


def _of_before(fresh: FreshRatings) -> list[str]:
    """Return everybody who was erased and of whom something is kept."""
    return [user_id for user_id in fresh.users() if fresh.erased.version_of(user_id)]


class Place(NamedTuple):
    """Where something of a user could be.

    Attributes
    ----------
    place
        ``database``, ``memory``, or ``generation N``.
    holds
        Whether it does; ``None`` where it cannot be told.
    """

    place: str
    holds: bool | None


def places(store: Store, current: Current, models: Path, erasure: Erasure) -> list[Place]:
    """Look everywhere within reach for what was there before an erasure; for a thread."""
    salt = store.get_fact(SALT) or ""
    found = [
        Place("database", store.remains(erasure) > 0),
        Place("memory", _in_memory(current, salt, erasure)),
    ]
    return found + [
        Place(f"generation {number}", _in_generation(models, number, salt, erasure))
        for number in generation_numbers(models)
    ]


def _in_memory(current: Current, salt: str, erasure: Erasure) -> bool:
    serving = current.serving
    if serving is None:
        return False
    return any(
        serving.fresh.holds_before(user_id, erasure.version)
        for user_id in serving.fresh.users()
        if digest_of(salt, user_id) == erasure.digest
    )


def _in_generation(models: Path, number: int, salt: str, erasure: Erasure) -> bool | None:
    path = generation_path(models, number)
    try:
        manifest = read_manifest(path)
        if manifest.watermark >= erasure.version:
            return False
        return _digests(path, manifest.trained_at, salt).row(erasure.digest) >= 0
    except (GenerationError, OSError):
        return None


@lru_cache(maxsize=8)
def _digests(path: Path, trained_at: str, salt: str) -> UserDigests:
    """Return the digests of a generation's users; ``trained_at`` tells one of that number apart."""
    del trained_at
    return UserDigests(open_users(path), salt)
