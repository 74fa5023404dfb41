"""The files of published experiments as the plain CSV that `projectionist evaluate` takes.

Run as ``python -m benchmarks.published_files KIND SOURCE TARGET``:

``movielens-100k``: the folder of the release with u1.base, … → u1.train.csv, u1.test.csv, … u5.
``random-90-10``: a MovieLens folder or zip of any era → train.csv, test.csv (``--seed``).
``ncf``: the folder with NAME.train.rating, … → train.csv, test.csv, negatives.csv.
``lightgcn``: the folder with train.txt and test.txt → train.csv, test.csv.
``liang``: a folder with the ratings.csv of MovieLens-20M → train.csv; validation.known.csv,
validation.held.csv, test.known.csv, test.held.csv.

Nothing is downloaded, and nothing is drawn but ``random-90-10`` and ``liang``. The latter draws as
Liang, Krishnan, Hoffman, Jebara, "Variational Autoencoders for Collaborative Filtering" (2018) did,
from the same seed, so that figures can be compared: ratings above 3.5 count, users with five or
more of them; 10,000 users are held out for validation and 10,000 for the test; a fifth of each of
those is to be found from the rest, among the items that training knows.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import polars as pl

from recommender import Ratings
from recommender.data.dataset import read_dataset
from recommender.data.splitting import random_share
from recommender.errors import RecommenderError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

COLUMNS = ("user", "item", "rating", "timestamp")
LIANG_SEED = 98765
LIANG_USERS = 10_000
"""Held out for validation, and as many again for the test."""


def main() -> None:
    """Read the command line, and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--seed", type=int, default=0, help="of random-90-10")
    given = parser.parse_args()
    try:
        for name, table in KINDS[given.kind](given.source, given.seed):
            given.target.mkdir(parents=True, exist_ok=True)
            table.write_csv(given.target / name)
            print(f"{given.target / name}: {table.height:,} rows")
    except (OSError, RecommenderError, ValueError, pl.exceptions.PolarsError) as error:
        raise SystemExit(f"{given.kind}: {error}") from None


Tables: TypeAlias = "Iterator[tuple[str, pl.DataFrame]]"


def movielens_100k(source: Path, _seed: int) -> Tables:
    """Convert the five folds that come with MovieLens-100K."""
    for fold in range(1, 6):
        for part, name in (("base", "train"), ("test", "test")):
            yield f"u{fold}.{name}.csv", _tabbed(source / f"u{fold}.{part}")


def random_90_10(source: Path, seed: int) -> Tables:
    """Hold out a tenth of all ratings at random."""
    ratings = Ratings.from_frame(read_dataset(source).ratings, timestamp="timestamp")
    split = random_share(ratings, 0.1, seed)
    yield "train.csv", _rows(split.train)
    yield "test.csv", _rows(split.test)


def ncf(source: Path, _seed: int) -> Tables:
    """Convert the files of He et al., "Neural Collaborative Filtering" (2017)."""
    yield "train.csv", _tabbed(_only(source, "*.train.rating"))
    yield "test.csv", _tabbed(_only(source, "*.test.rating"))
    pairs: list[tuple[int, int]] = []
    path = _only(source, "*.test.negative")
    for number, line in enumerate(path.read_text().splitlines(), 1):
        head, *negatives = line.split("\t")
        found = re.fullmatch(r"\((\d+),\d+\)", head)
        if found is None:
            raise ValueError(f"{path}:{number}: expected (user,item) first, found {head[:40]!r}")
        pairs.extend((int(found[1]), int(item)) for item in negatives if item)
    yield "negatives.csv", pl.DataFrame(pairs, schema=["user", "item"], orient="row")


def lightgcn(source: Path, _seed: int) -> Tables:
    """Convert lines of a user and all items: He et al., "LightGCN" (2020)."""
    for part in ("train", "test"):
        lines = (source / f"{part}.txt").read_text().splitlines()
        rows = [[int(word) for word in line.split()] for line in lines]
        pairs = [(row[0], item) for row in rows for item in row[1:]]
        yield f"{part}.csv", pl.DataFrame(pairs, schema=["user", "item"], orient="row")


def liang(source: Path, _seed: int, n_users: int = LIANG_USERS) -> Tables:
    """Hold out users of MovieLens-20M, as the code of the paper does."""
    liked = (
        pl.read_csv(source / "ratings.csv", columns=["userId", "movieId", "rating"])
        .rename({"userId": "user", "movieId": "item"})
        .filter(pl.col("rating") > 3.5)
        .filter(pl.len().over("user") >= 5)
        .select("user", "item")
    )
    users = np.sort(liked["user"].unique().to_numpy())
    if len(users) <= 2 * n_users:
        raise ValueError(f"{len(users):,} users are too few to hold out twice {n_users:,}")
    users = users[np.random.RandomState(LIANG_SEED).permutation(len(users))]
    train = liked.filter(pl.col("user").is_in(users[: -2 * n_users].tolist()))
    yield "train.csv", train
    known_items = train["item"].unique().to_list()
    parts = (("validation", users[-2 * n_users : -n_users]), ("test", users[-n_users:]))
    for name, of_part in parts:
        chosen = (pl.col("user").is_in(of_part.tolist())) & pl.col("item").is_in(known_items)
        rows = liked.filter(chosen).sort("user", maintain_order=True)
        held = _a_fifth_of_each(rows["user"].to_numpy())
        yield f"{name}.known.csv", rows.filter(~pl.Series(held))
        yield f"{name}.held.csv", rows.filter(pl.Series(held))


def _a_fifth_of_each(users: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Draw a fifth, rounded down, of the rows of each user who has five or more."""
    draws = np.random.RandomState(LIANG_SEED)
    held = np.zeros(len(users), np.bool_)
    starts, counts = np.unique(users, return_index=True, return_counts=True)[1:]
    for start, count in zip(starts, counts, strict=True):
        if count >= 5:
            held[start + draws.choice(count, size=int(0.2 * count), replace=False)] = True
    return held


def _tabbed(path: Path) -> pl.DataFrame:
    """Read rows of user, item, rating and time with tabs between them."""
    table = pl.read_csv(path, separator="\t", has_header=False)
    if table.width != len(COLUMNS):
        raise ValueError(f"{path}: {table.width} columns instead of {', '.join(COLUMNS)}")
    return table.rename(dict(zip(table.columns, COLUMNS, strict=True)))


def _rows(ratings: Ratings) -> pl.DataFrame:
    columns = (
        ratings.users.ids[ratings.user_rows], ratings.items.ids[ratings.indices],
        ratings.values.round(3), ratings.timestamps,
    )  # fmt: skip
    return pl.DataFrame(dict(zip(COLUMNS, columns, strict=True)))


def _only(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise ValueError(f"{folder} should hold one file {pattern}; it holds {len(found)}")
    return found[0]


KINDS: dict[str, Callable[[Path, int], Tables]] = {
    "movielens-100k": movielens_100k,
    "random-90-10": random_90_10,
    "ncf": ncf,
    "lightgcn": lightgcn,
    "liang": liang,
}


if __name__ == "__main__":
    main()
