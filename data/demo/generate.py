"""Simulate the ratings of the demo data set. No real person's rating is in it.

Run from the root of the repository::

    python data/demo/generate.py                # rewrites the files beside this script
    python data/demo/generate.py --out /tmp/demo

It reads ``films.csv`` (true titles, years and genres; authored fame, quality and tastes) and writes
``movies.csv``, ``ratings.csv`` and ``users.csv``.

The model, in the order in which it is drawn:

1. A user *loves* one to three tastes, mixed by a flat Dirichlet draw, and *dislikes* one or two.
2. ``fit[u, i]``, the cosine-like fit of a film to a user, is the user's taste vector times the
   film's taste vector of length one. A user may be a *fan* of a series (a franchise, a studio, a
   film-maker, a movement), the likelier the better its films fit: fans have seen more of it and
   like it a little more.
3. Which films a user has seen: the ``n[u]`` with the largest
   ``slope[u] · fame[i] + CHOICE_FIT · fit[u, i] + CHOICE_QUALITY · quality[i] + fan + Gumbel``,
   which is a draw without replacement, in proportion to the exponential of all but the Gumbel.
4. The rating:
   ``mean[u] + spread[u] · (RATING_FIT · fit + RATING_QUALITY · quality + fan + noise)``,
   rounded to half stars, or to whole stars for users who never give half ones.
5. When: a few evenings per user. No film is rated before the January after its release year.

Reproducible: every step has its own stream, ``Generator(PCG64(SeedSequence([SEED, step])))``, and
draws only with ``random``, ``integers`` and ``normal``, whose streams have been the same in every
NumPy since 1.17. Everything else (exponential, Gumbel, Dirichlet) is computed from those.
"""

from __future__ import annotations

import argparse
import csv
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

HERE = Path(__file__).resolve().parent

SEED = 1895  # the year of the first public film show
N_USERS = 2000
MEAN_RATINGS = 40.0
FEWEST, MOST = 10, 300
FIRST_DAY = datetime(2023, 10, 1, tzinfo=UTC)
LAST_DAY = datetime(2026, 9, 30, tzinfo=UTC)

FAME_SLOPE = 1.1  # one step of fame (of five) makes a film e^1.1 = 3 times as likely to be seen
FAME_SLOPE_NICHE = 0.6  # art-house, classics and documentary audiences look further than fame
# A whole step of fit (from indifferent to one's only love) outweighs almost four steps of fame.
CHOICE_FIT = 4.2
CHOICE_QUALITY = 0.35
CHOICE_FAN = 2.0
RATING_FIT = 1.0
RATING_QUALITY = 0.55
TYPICAL_QUALITY = 3.9  # a film of this quality moves a rating neither up nor down
RATING_FAN = 0.25
RATING_NOISE = 0.72
USER_MEAN = 2.78
FAN_BASE, FAN_FIT = 0.1, 0.4  # the chance to be a fan of a series is FAN_BASE + FAN_FIT · fit
WHOLE_STARS_SHARE = 0.35  # users who never give half stars


@dataclass(frozen=True)
class Taste:
    """One stated taste: its key in ``films.csv``, its words in the pages, and how it mixes."""

    key: str
    words: str
    share: float  # how often it is a user's first taste, relative to the others
    goes_with: tuple[str, ...]  # the tastes that often come second
    shuns: tuple[str, ...]  # the tastes that its lovers most often dislike


TASTES = (
    Taste("family", "family & animation", 12, ("musicals", "sagas", "comedy"), ("horror", "war")),
    Taste("arthouse", "art house & world cinema", 8, ("classics", "drama"), ("sagas", "action")),
    Taste("action", "action & blockbusters", 11, ("sagas", "scifi"), ("arthouse", "musicals")),
    Taste("sagas", "superheroes & sagas", 11, ("scifi", "family", "action"), ("arthouse", "crime")),
    Taste("scifi", "science fiction", 9, ("sagas", "thrillers"), ("romance", "musicals")),
    Taste("horror", "horror", 6, ("thrillers", "scifi"), ("romance", "family")),
    Taste("romance", "romance & romantic comedy", 9, ("comedy", "musicals"), ("horror", "war")),
    Taste("comedy", "comedy", 9, ("romance", "family"), ("war", "horror")),
    Taste("crime", "crime & noir", 7, ("thrillers", "drama"), ("family", "musicals")),
    Taste("classics", "classics", 6, ("arthouse", "crime"), ("sagas", "action")),
    Taste("musicals", "musicals", 5, ("romance", "family"), ("horror", "action")),
    Taste("thrillers", "thrillers & mind-benders", 8, ("scifi", "crime"), ("family", "musicals")),
    Taste("war", "war & history", 5, ("drama", "action"), ("romance", "horror")),
    Taste("documentary", "documentaries", 4, ("arthouse", "war"), ("sagas", "horror")),
    Taste("drama", "drama", 8, ("crime", "romance"), ("sagas", "horror")),
)
TASTE_KEYS = tuple(taste.key for taste in TASTES)
NICHE = frozenset({"arthouse", "classics", "documentary"})


@dataclass(frozen=True)
class Person:
    """What a simulated user was given: loved tastes with weights that sum to 1, and dislikes."""

    loves: dict[str, float]
    dislikes: tuple[str, ...]

    def words(self) -> str:
        """Say the person's tastes as the pages show them, the strongest first."""
        names = {taste.key: taste.words for taste in TASTES}
        loves = sorted(self.loves, key=lambda key: -self.loves[key])
        text = ", ".join(names[key] for key in loves)
        return f"{text}; dislikes {', '.join(names[key] for key in self.dislikes)}"


# The first users are clear-cut, so that the pages open on lists that a visitor can judge at a
# glance: few tastes, held strongly.
SHOWCASE = (
    Person({"family": 1.0}, ("horror",)),
    Person({"arthouse": 1.0}, ("sagas", "action")),
    Person({"action": 1.0}, ("musicals",)),
    Person({"horror": 1.0}, ("romance",)),
    Person({"romance": 1.0}, ("horror", "scifi")),
    Person({"scifi": 1.0}, ("romance",)),
    Person({"classics": 1.0}, ("sagas",)),
    Person({"musicals": 0.5, "romance": 0.5}, ("horror", "sagas")),
    Person({"crime": 1.0}, ("family",)),
    Person({"war": 0.5, "documentary": 0.5}, ("family",)),
)


@dataclass(frozen=True)
class Film:
    """One row of ``films.csv``."""

    movie_id: str
    title: str
    year: int
    genres: str
    fame: float
    quality: float
    tastes: dict[str, float]
    series: tuple[str, ...]


@dataclass(frozen=True)
class Rating:
    """One row of ``ratings.csv``."""

    user_id: str
    movie_id: str
    rating: float
    rated_at: datetime


def stream(step: int) -> np.random.Generator:
    """Open the random stream of one step, so that a change in one step leaves the others alone."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([SEED, step])))


def exponential(rng: np.random.Generator, shape: int | tuple[int, ...]) -> Floats:
    """Draw from Exp(1) by inversion; 1 - U is never 0."""
    return -np.log(1.0 - rng.random(shape))


# --- films -----------------------------------------------------------------------------------


def read_films(path: Path) -> list[Film]:
    """Read the authored films."""
    with path.open(encoding="utf-8", newline="") as file:
        return [film_of(row) for row in csv.DictReader(file)]


def film_of(row: dict[str, str]) -> Film:
    """Make a film from its row; an unknown taste is an error, not a silently dropped column."""
    tastes = dict(pair.split(":") for pair in row["tastes"].split("|"))
    unknown = sorted(set(tastes) - set(TASTE_KEYS))
    if unknown:
        raise ValueError(f"{row['title']}: unknown tastes {unknown}; allowed: {TASTE_KEYS}")
    return Film(
        movie_id=row["movie_id"],
        title=row["title"],
        year=int(row["year"]),
        genres=row["genres"],
        fame=float(row["fame"]),
        quality=float(row["quality"]),
        tastes={key: float(strength) for key, strength in tastes.items()},
        series=tuple(row["series"].split("|")) if row["series"] else (),
    )


def taste_matrix(films: Sequence[Film]) -> Floats:
    """Films by tastes; rows of length 1, so that many tastes do not make a film everybody's."""
    matrix = np.array([[film.tastes.get(key, 0.0) for key in TASTE_KEYS] for film in films])
    return np.asarray(matrix / np.sqrt((matrix**2).sum(axis=1, keepdims=True)))


def series_matrix(films: Sequence[Film]) -> Floats:
    """Films by series, 1 where the film belongs to the series."""
    names = sorted({name for film in films for name in film.series})
    return np.array([[float(name in film.series) for name in names] for film in films])


# --- people ----------------------------------------------------------------------------------


def draw_people(rng: np.random.Generator) -> list[Person]:
    """Give the ten showcase users, then draw everybody else."""
    return [*SHOWCASE, *(draw_person(rng) for _ in range(N_USERS - len(SHOWCASE)))]


def draw_person(rng: np.random.Generator) -> Person:
    """Draw one to three loved tastes with Dirichlet(1, …, 1) weights, one or two dislikes."""
    shares = np.array([taste.share for taste in TASTES])
    first = TASTES[pick(rng, shares)]
    loves = [first.key]
    n_loves = 1 + pick(rng, np.array([0.35, 0.45, 0.20]))
    while len(loves) < n_loves:
        loves.append(draw_other(rng, first.goes_with, loves))
    dislikes: list[str] = []
    n_dislikes = 1 + pick(rng, np.array([0.7, 0.3]))
    while len(dislikes) < n_dislikes:
        dislikes.append(draw_other(rng, first.shuns, [*loves, *dislikes]))
    weights = exponential(rng, len(loves))
    return Person(
        dict(zip(loves, (weights / weights.sum()).tolist(), strict=True)), tuple(dislikes)
    )


def draw_other(rng: np.random.Generator, typical: Sequence[str], taken: Sequence[str]) -> str:
    """Draw a taste that is not taken: two times in three a typical one, otherwise any."""
    wanted = typical if rng.random() < 2 / 3 else TASTE_KEYS
    free = [key for key in wanted if key not in taken] or [
        key for key in TASTE_KEYS if key not in taken
    ]
    return free[int(rng.integers(len(free)))]


def pick(rng: np.random.Generator, weights: Floats) -> int:
    """Draw an index with probability in proportion to its weight."""
    bounds = np.cumsum(weights)
    return int(np.searchsorted(bounds, rng.random() * bounds[-1], side="right"))


def profile_matrix(people: Sequence[Person], rng: np.random.Generator) -> Floats:
    """Users by tastes: faint opinions on everything, strong ones on loves and dislikes.

    A loved taste gets between 0.55 and 1 however small its share in the mixture: a second love
    is still a love.
    """
    profiles = 0.08 * rng.normal(size=(len(people), len(TASTES)))
    for row, person in enumerate(people):
        for key, weight in person.loves.items():
            profiles[row, TASTE_KEYS.index(key)] = 0.55 + 0.45 * weight
        for key in person.dislikes:
            profiles[row, TASTE_KEYS.index(key)] = -0.7
    return profiles


def draw_activity(rng: np.random.Generator) -> Integers:
    """Draw the ratings per user: log-normal, so that a few rate very much."""
    raw = np.exp(0.9 * rng.normal(size=N_USERS))
    exact = FEWEST + (MEAN_RATINGS - FEWEST) * raw / raw.mean()
    counts: Integers = np.clip(np.rint(exact), FEWEST, MOST).astype(np.int64)
    counts[: len(SHOWCASE)] = rng.integers(42, 61, size=len(SHOWCASE))
    return counts


def fan_matrix(films: Sequence[Film], fit: Floats, rng: np.random.Generator) -> Floats:
    """Users by films: 1 where the user is a fan of a series of the film.

    The better the films of a series fit a user on average, the likelier the user is its fan.
    """
    series = series_matrix(films)
    mean_fit = fit @ (series / series.sum(axis=0))
    is_fan = rng.random(mean_fit.shape) < np.clip(FAN_BASE + FAN_FIT * mean_fit, 0.02, 0.6)
    return np.asarray(np.minimum(is_fan.astype(np.float64) @ series.T, 1.0))


# --- what they saw, how they liked it, and when ------------------------------------------------


def fame_slopes(people: Sequence[Person]) -> Floats:
    """How much each user follows fame: less, the more of the heart is in the niches."""
    niche = np.array([sum(w for k, w in p.loves.items() if k in NICHE) for p in people])
    return FAME_SLOPE + (FAME_SLOPE_NICHE - FAME_SLOPE) * niche


def seen_films(
    films: Sequence[Film], slopes: Floats, fit: Floats, fans: Floats, rng: np.random.Generator
) -> Floats:
    """Users by films: the larger, the sooner the user has seen the film."""
    fame = np.array([film.fame for film in films])
    quality = np.array([film.quality for film in films])
    gumbel = -np.log(exponential(rng, fit.shape))
    wish = CHOICE_FIT * fit + CHOICE_QUALITY * quality + CHOICE_FAN * fans
    return np.asarray(slopes[:, None] * fame + wish + gumbel)


def stars(films: Sequence[Film], fit: Floats, fans: Floats, rng: np.random.Generator) -> Floats:
    """Users by films: the rating that each user would give to each film."""
    quality = np.array([film.quality for film in films]) - TYPICAL_QUALITY
    mean = USER_MEAN + 0.3 * rng.normal(size=(N_USERS, 1))
    spread = np.exp(0.2 * rng.normal(size=(N_USERS, 1)))
    noise = RATING_NOISE * rng.normal(size=fit.shape)
    liking = RATING_FIT * fit + RATING_QUALITY * quality + RATING_FAN * fans + noise
    exact = mean + spread * liking
    whole = rng.random((N_USERS, 1)) < WHOLE_STARS_SHARE
    rounded = np.where(whole, np.floor(exact + 0.5), np.floor(2 * exact + 0.5) / 2)
    return np.asarray(np.clip(rounded, np.where(whole, 1.0, 0.5), 5.0))


def draw_sessions(n_ratings: int, rng: np.random.Generator) -> list[datetime]:
    """Draw one user's evenings: the first anywhere, the others in the year after it."""
    n_days = (LAST_DAY - FIRST_DAY).days
    first = int(rng.integers(n_days))
    n_sessions = 2 + int(rng.integers(1 + min(n_ratings // 12, 8)))
    later = rng.integers(1, max(2, min(365, n_days - first)), size=n_sessions - 1)
    days = sorted({min(first + day, n_days - 1) for day in (0, *later.tolist())})
    return [evening(FIRST_DAY + timedelta(days=day), rng) for day in days]


def evening(day: datetime, rng: np.random.Generator) -> datetime:
    """Draw a time between 17:00 and 22:00 UTC; no session reaches the next evening."""
    seconds = 17 * 3600 + int(rng.integers(5 * 3600))
    return day + timedelta(seconds=seconds)


def rateable_from(film: Film) -> datetime:
    """Give the January after the release year: nobody rates before the release."""
    return datetime(film.year + 1, 1, 1, tzinfo=UTC)


def choose(films: Sequence[Film], wish: Floats, n: int, sessions: Sequence[datetime]) -> list[int]:
    """Choose the ``n`` most wished-for films, of those released by the last session."""
    released = np.array([rateable_from(film) <= sessions[-1] for film in films])
    order = np.argsort(np.where(released, -wish, np.inf), kind="stable")
    return [int(column) for column in order[: min(n, int(released.sum()))]]


def spread_over(
    films: Sequence[Film],
    chosen: Sequence[int],
    sessions: Sequence[datetime],
    rng: np.random.Generator,
) -> list[tuple[int, datetime]]:
    """Give each chosen film a session after its release, and each rating its second in it."""
    evenings: list[list[int]] = [[] for _ in sessions]
    for column in chosen:
        first = sum(session < rateable_from(films[column]) for session in sessions)
        evenings[first + int(rng.integers(len(sessions) - first))].append(column)
    dated = []
    for when, columns in zip(sessions, evenings, strict=True):
        # By lot, not in the order of the wish: what is rated last must not be what fits least.
        for place in np.argsort(rng.random(len(columns)), kind="stable").tolist():
            dated.append((columns[place], when))
            when += timedelta(seconds=8 + int(rng.integers(90)))
    return dated


def simulate(films: Sequence[Film]) -> tuple[list[Person], list[Rating]]:
    """Draw the people and all their ratings, ordered by user and time."""
    people = draw_people(stream(1))
    fit = profile_matrix(people, stream(2)) @ taste_matrix(films).T
    counts = draw_activity(stream(3))
    fans = fan_matrix(films, fit, stream(4))
    wishes = seen_films(films, fame_slopes(people), fit, fans, stream(5))
    liked = stars(films, fit, fans, stream(6))
    clock = stream(7)
    ratings = []
    for user in range(N_USERS):
        sessions = draw_sessions(int(counts[user]), clock)
        chosen = choose(films, wishes[user], int(counts[user]), sessions)
        for column, when in spread_over(films, chosen, sessions, clock):
            value = float(liked[user, column])
            ratings.append(Rating(str(user + 1), films[column].movie_id, value, when))
    return people, ratings


# --- files -----------------------------------------------------------------------------------


def write(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write one CSV file: UTF-8, line feeds on every system, quotes only where needed."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the films, simulate, write the three files."""
    parser = argparse.ArgumentParser(description="Simulate the demo data set's ratings.")
    parser.add_argument("--out", type=Path, default=HERE, help="folder to write to (default: here)")
    out: Path = parser.parse_args(arguments).out
    films = read_films(HERE / "films.csv")
    people, ratings = simulate(films)
    out.mkdir(parents=True, exist_ok=True)
    write(
        out / "movies.csv",
        ("movie_id", "title", "year", "genres"),
        ((film.movie_id, film.title, film.year, film.genres) for film in films),
    )
    write(
        out / "ratings.csv",
        ("user_id", "movie_id", "rating", "rated_at"),
        ((r.user_id, r.movie_id, r.rating, f"{r.rated_at:%Y-%m-%dT%H:%M:%SZ}") for r in ratings),
    )
    write(
        out / "users.csv",
        ("user_id", "tastes"),
        ((number, person.words()) for number, person in enumerate(people, 1)),
    )


if __name__ == "__main__":
    main()
