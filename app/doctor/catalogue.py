"""Checks of the catalogue: whether there is something to recommend, and what is known of it."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from app.doctor.findings import Finding, counted, examples, percent, share
from app.doctor.patient import Unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from app.doctor.patient import Patient

FEW = 5
"""A movie with fewer ratings has a vector that a single person can turn."""
COLD_SHARE = 0.5
UNRATED_SHARE = 0.2
BARE_SHARE = 0.5


def availability(patient: Patient) -> Iterator[Finding]:
    """Look whether there are movies that may be recommended."""
    movies, available = len(patient.movies), len(patient.available)
    figures = {"movies": movies, "available": available}
    if not movies:
        yield Finding(
            "error",
            "The catalogue is empty.",
            "There is nothing to recommend.",
            "Import movies with their ratings: `projectionist import FOLDER`.",
            figures,
        )
    elif not available:
        yield Finding(
            "error",
            f"None of {counted(movies, 'movie')} is available.",
            "Only available movies are recommended, so every list is empty.",
            'Set `"available": true` where it belongs, with PUT /v1/movies/{movie_id}.',
            figures,
        )
    else:
        told = f"{available:,} of {counted(movies, 'movie')} may be recommended."
        yield Finding("ok", told, "", "", figures)


def cold(patient: Patient) -> Iterator[Finding]:
    """Count available movies that nobody, or hardly anybody, has rated."""
    available = patient.available
    if not available:
        raise Unknown
    counts = [patient.by_movie.get(movie_id, 0) for movie_id in available]
    unrated = sum(count == 0 for count in counts)
    few = sum(count < FEW for count in counts)
    figures = {"unrated": unrated, "fewer_than_5": few, "available": len(counts)}
    told = (
        f"Of {counted(len(counts), 'available movie')}, {unrated:,} "
        f"({percent(unrated, len(counts))}) have no rating and {few:,} "
        f"({percent(few, len(counts))}) fewer than {FEW}."
    )
    bad = share(unrated, len(counts)) > UNRATED_SHARE or share(few, len(counts)) > COLD_SHARE
    if not bad:
        yield Finding("ok", told, "", "", figures)
        return
    yield Finding(
        "warning",
        told,
        "A movie without ratings is listed by its genres, year and tags alone, and without these "
        "not at all; one with few moves with each of them.",
        "Give every movie genres and a year (PUT /v1/movies/{movie_id}), show new movies "
        "outside of the lists so that they are rated, and look whether ratings and catalogue "
        "name movies alike (check matching-ids).",
        figures,
    )


def attributes(patient: Patient) -> Iterator[Finding]:
    """Count available movies of which nothing but a title is known."""
    shown = [movie for movie in patient.movies if movie.available]
    if not shown:
        raise Unknown
    bare = sum(not movie.genres and movie.year is None for movie in shown)
    figures = {"without_attributes": bare, "available": len(shown)}
    told = (
        f"{bare:,} of {counted(len(shown), 'available movie')} ({percent(bare, len(shown))}) "
        "have neither genres nor a year."
    )
    if share(bare, len(shown)) <= BARE_SHARE:
        yield Finding("ok", told, "", "", figures)
        return
    yield Finding(
        "warning",
        told,
        "Filters, calibration, the lists of new movies and the map's colours are made of genres "
        "and years.",
        "Import a movies file with the columns movie_id, title, year and genres.",
        figures,
    )


def matching_ids(patient: Patient) -> Iterator[Finding]:
    """Look for one movie, or one user, that goes by two ids."""
    movies = alike(movie.movie_id for movie in patient.movies)
    users = alike(patient.by_user["user"].to_list()) if patient.by_movie else []
    for what, groups in (("movie", movies), ("user", users)):
        if groups:
            yield Finding(
                "warning",
                f"{counted(len(groups), what)} may go by several ids, such as "
                f"{examples(groups[0])}.",
                "Ratings under one spelling say nothing about the other: they are lost for what "
                "they were meant for.",
                "Spell ids alike in all files (often a number was read as 1.0, or lost its leading "
                "zeros, in a spreadsheet) and import again.",
                {f"{what}s": len(groups), "examples": groups[:5]},
            )
    nameless = [movie.movie_id for movie in patient.movies if movie.title == movie.movie_id]
    if share(len(nameless), len(patient.movies)) > BARE_SHARE and len(nameless) > 1:
        yield Finding(
            "warning",
            f"{len(nameless):,} of {counted(len(patient.movies), 'movie')} have no title but "
            f"their id, such as {examples(nameless)}.",
            "They were rated and stand in no file of movies: nobody knows them by these names, "
            "or the file names them by other ids.",
            "Import a movies file with the same ids.",
            {"untitled": len(nameless)},
        )
    elif not movies and not users:
        yield Finding("ok", "No two ids look like one.")


def alike(ids: Iterable[str]) -> list[list[str]]:
    """Return groups of ids that people would take for one, the largest first.

    >>> alike(["1", "01", "1.0", "2", "tt7", "TT7", "10"])
    [['01', '1', '1.0'], ['TT7', 'tt7']]
    """
    groups: dict[str, list[str]] = {}
    for one in ids:
        groups.setdefault(plainest(one), []).append(one)
    found = [sorted(group) for group in groups.values() if len(group) > 1]
    return sorted(found, key=lambda group: (-len(group), group))


def plainest(one: str) -> str:
    """Return an id without case, blanks, leading zeros and a fraction of zeros.

    >>> plainest(" 007"), plainest("7.0"), plainest("7.5"), plainest("0"), plainest("TT7")
    ('7', '7', '7.5', '0', 'tt7')
    """
    text = "".join(unicodedata.normalize("NFKC", one).casefold().split())
    whole, point, fraction = text.partition(".")
    if point and not fraction.strip("0") and whole.isdecimal():
        text = whole
    if text[:1] == "0" and text.replace(".", "", 1).isdecimal():
        text = text.lstrip("0") or "0"
    return text
