"""Movies that training never saw: how good their vectors are, from attributes and from ratings.

Run as ``python -m benchmarks.new_movies --data FOLDER [--seeds 5]`` with a MovieLens
folder; where it has ``tags.csv``, tags count as attributes. For each seed a tenth of the movies
with at least 5 ratings is held out with all its ratings, and both models are trained on the rest.

The first table has nothing but attributes: for each user who gave one of the held-out movies 4
stars or more, the held-out movies are ranked (AUC, NDCG@10; the mean over users), and how many of
ten places in a list of all movies go to them is compared with how many of his liked movies they
are. The second folds held-out movies with at least 15 ratings in from some of these, and ranks for
users of the other ratings; ten ratings of each movie are put aside for that, so that every line is
of the same pairs.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import polars as pl

from benchmarks import machine
from recommender import Ratings
from recommender.attributes import AttributeMap, Features, ItemAttributes, trust
from recommender.attributes.learned import with_bias
from recommender.data.dataset import read_dataset
from recommender.errors import RecommenderError
from recommender.evaluation.ranked_metrics import ndcg
from recommender.models.item_vector import ItemVector
from recommender.training import recipe_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from recommender.models.factor_model import FactorModel

LIKED = 4.0
PUT_ASIDE, WITH_ENOUGH = 10, 15
FOLDED = (1, 2, 3, 5, 10)

Tables: TypeAlias = "tuple[NDArray[np.float32], NDArray[np.float32]]"
Weigh: TypeAlias = "Callable[[NDArray[np.int64]], NDArray[np.float64]]"

WEIGHTS: dict[str, Weigh] = {
    "all alike": lambda n: (n > 0).astype(np.float64),
    "√n": lambda n: np.sqrt(n),
    "n": lambda n: n.astype(np.float64),
    "n / (n + 10)": trust,
}


@dataclass(frozen=True)
class Line:
    """What one way to a vector is worth; ``places`` is ``None`` where it was not looked at."""

    name: str
    auc: float
    ndcg: float
    rmse: float
    places: float | None = None


@dataclass(frozen=True, eq=False)
class World:
    """One seed: models of what was not held out, and the ratings of what was.

    ``users``, ``items`` and ``values`` are (n,) of the ratings of held-out movies; ``held`` are
    their rows. Users without any other rating are left out: nobody knows them.
    """

    ranking: FactorModel
    stars: FactorModel
    held: NDArray[np.int64]
    users: NDArray[np.int64]
    items: NDArray[np.int64]
    values: NDArray[np.float32]


def hold_out(ratings: Ratings, seed: int) -> World:
    """Hold a tenth of the movies out, and train on the others."""
    random = np.random.default_rng(seed)
    counts = np.diff(ratings.by_item.indptr)
    eligible = np.flatnonzero(counts >= 5)
    held = np.sort(random.permutation(eligible)[: len(eligible) // 10])
    out = np.isin(ratings.indices, held)
    train = ratings.select(~out)
    recipe = recipe_for(train)
    users, items = ratings.user_rows.astype(np.int64), ratings.indices.astype(np.int64)
    asked = out & (np.diff(train.indptr) > 0)[users]
    shuffled = random.permutation(np.flatnonzero(asked))
    return World(
        recipe.ranking.fit(train),
        recipe.stars.fit(train),
        held,
        users[shuffled],
        items[shuffled],
        ratings.values[shuffled],
    )


def judge(
    world: World,
    name: str,
    vectors: Tables,
    asked: NDArray[np.bool_] | None = None,
    *,
    in_lists: bool = False,
) -> Line:
    """Rank and predict held-out movies by (n_held, k+1) vectors of both models.

    Only ratings that are ``asked`` for count, and only movies that have such ratings.
    """
    chosen = np.ones(len(world.users), np.bool_) if asked is None else asked
    users, values = world.users[chosen], world.values[chosen]
    rows, places = np.unique(world.items[chosen], return_inverse=True)
    ranking, stars = (table[np.searchsorted(world.held, rows)] for table in vectors)
    scores = world.ranking.user_factors @ ranking[:, :-1].T
    aucs, ndcgs = [], []
    for user, liked in _liked(users, places, values, len(rows)):
        aucs.append(auc(scores[user], liked))
        # Equal scores are at the mercy of the rows' order, which is that of the ids.
        best = np.random.default_rng(user).permutation(len(rows))
        best = best[np.argsort(-scores[user, best], kind="stable")][:10]
        ndcgs.append(float(ndcg(liked[best][None], np.array([liked.sum()]))[0]))
    model = world.stars
    told = np.einsum("nk,nk->n", model.user_factors[users], stars[places, :-1])
    told += model.global_bias + stars[places, -1]
    told += 0 if model.user_biases is None else model.user_biases[users]
    low, high = float(model.ratings.values.min()), float(model.ratings.values.max())
    rmse = float(np.sqrt(np.square(np.clip(told, low, high) - values).mean()))
    share = in_lists_of_all(world, scores) if in_lists else None
    return Line(name, float(np.mean(aucs)), float(np.mean(ndcgs)), rmse, share)


def _liked(
    users: NDArray[np.int64], places: NDArray[np.int64], values: NDArray[np.float32], n: int
) -> Iterator[tuple[int, NDArray[np.bool_]]]:
    """Yield each user who liked some of the movies but not all, with (n,) which ones."""
    for user in np.unique(users[values >= LIKED]):
        liked = np.zeros(n, np.bool_)
        liked[places[(users == user) & (values >= LIKED)]] = True
        if not liked.all():
            yield int(user), liked


def auc(scores: NDArray[np.float32], liked: NDArray[np.bool_]) -> float:
    """Return how many pairs of a liked movie and another stand the right way round; ties half."""
    above = scores[liked][:, None] - scores[~liked]
    return float((np.sign(above) / 2 + 0.5).mean())


def in_lists_of_all(world: World, scores: NDArray[np.float32]) -> float:
    """Return the share of places that held-out movies take in everybody's ten best of all."""
    model = world.ranking
    known = model.user_factors @ model.item_factors.T
    known[model.ratings.user_rows, model.ratings.indices] = -np.inf
    known[:, world.held] = -np.inf
    best = np.argpartition(-np.hstack((known, scores)), 10, axis=1)[:, :10]
    return float((best >= known.shape[1]).mean())


def from_attributes(world: World, attributes: ItemAttributes) -> list[Line]:
    """Judge maps of attributes, and what they must beat."""
    counts, tables = trained_vectors(world)
    means = (trust(counts) @ table / trust(counts).sum() for table in tables)
    mean = [np.tile(vector, (len(world.held), 1)).astype("f4") for vector in means]
    noise = np.random.default_rng(0).standard_normal(mean[0].shape).astype("f4")
    lines = [
        judge(world, "random vectors, mean of stars", (noise, mean[1])),
        judge(world, "mean vector", (mean[0], mean[1])),
    ]
    for told, described in (("genres, year", without_tags(attributes)), ("and tags", attributes)):
        for name, weigh in WEIGHTS.items():
            vectors = predicted(world, described, weigh)
            lines.append(judge(world, f"{told}; {name}", vectors, in_lists=True))
    return lines


def from_ratings(world: World, attributes: ItemAttributes) -> list[Line]:
    """Judge folding in from 1 to 10 ratings, beside attributes alone."""
    entries: dict[int, list[int]] = defaultdict(list)
    for entry, item in enumerate(world.items.tolist()):
        entries[item].append(entry)
    enough = {item: at for item, at in entries.items() if len(at) >= WITH_ENOUGH}
    asked = np.zeros(len(world.items), np.bool_)
    asked[[entry for at in enough.values() for entry in at[PUT_ASIDE:]]] = True
    bare, full = (predicted(world, a, trust) for a in (without_tags(attributes), attributes))
    lines = [judge(world, "genres, year", bare, asked), judge(world, "and tags", full, asked)]
    for told, around in (("alone", None), ("around genres, year", bare), ("around all", full)):
        for n in FOLDED:
            folded = fold_in(world, {item: at[:n] for item, at in enough.items()}, around)
            lines.append(judge(world, f"{n} ratings {told}", folded, asked))
    return lines


def fold_in(world: World, entries: dict[int, list[int]], around: Tables | None) -> Tables:
    """(n_held, k+1) the held-out movies folded in from some of their ratings, for both models."""
    tables = []
    for which, model in enumerate((world.ranking, world.stars)):
        table = np.zeros((len(world.held), model.n_factors + 1), np.float32)
        for item, at in entries.items():
            place = int(np.searchsorted(world.held, item))
            said = None if around is None else around[which][place]
            centre = None if said is None else ItemVector(said[:-1], float(said[-1]))
            made = model.fold_in_item_rows(world.users[at], world.values[at], centre)
            table[place] = [*made.vector, made.bias]
        tables.append(table)
    return tables[0], tables[1]


def predicted(world: World, attributes: ItemAttributes, weigh: Weigh) -> Tables:
    """(n_held, k+1) what maps that never saw the held-out movies say of them, for both models."""
    counts, tables = trained_vectors(world)
    trained = np.setdiff1d(np.arange(len(counts)), world.held)
    seen, of_held = attributes.select(trained), attributes.select(world.held)
    features, weights = Features.of(seen), weigh(counts[trained])
    maps = [AttributeMap.fit(seen, table[trained], weights, features) for table in tables]
    return maps[0].predict(of_held), maps[1].predict(of_held)


def trained_vectors(world: World) -> tuple[NDArray[np.int64], list[NDArray[np.float32]]]:
    """Return how many ratings each movie had in the training, and both models' vectors."""
    models = (world.ranking, world.stars)
    tables = [with_bias(model.item_factors, model.item_biases) for model in models]
    return np.diff(world.ranking.ratings.by_item.indptr), tables


def without_tags(attributes: ItemAttributes) -> ItemAttributes:
    return ItemAttributes(attributes.genres, attributes.years, ((),) * len(attributes))


def attributes_in(folder: Path, ratings: Ratings) -> ItemAttributes:
    """Read genres, years and, where there are some, tags, in the order of the ratings' items."""
    movies = {
        str(row["movie_id"]): row for row in read_dataset(folder).movies.iter_rows(named=True)
    }
    tags: dict[str, list[str]] = defaultdict(list)
    if (folder / "tags.csv").is_file():
        table = pl.read_csv(folder / "tags.csv", schema_overrides={"movieId": pl.String})
        for movie, tag in table.select("movieId", "tag").drop_nulls().iter_rows():
            tags[movie].append(tag)
    ids = [str(item) for item in ratings.items.ids]
    known = [movies.get(item, {"genres": [], "year": None}) for item in ids]
    return ItemAttributes.from_movies(
        [row["genres"] for row in known], [row["year"] for row in known], [tags[i] for i in ids]
    )


def averaged(runs: list[list[Line]]) -> list[Line]:
    """Return each line's means over the seeds."""
    lines = []
    for same in zip(*runs, strict=True):
        shares = [line.places for line in same if line.places is not None]
        area, gain, error = np.mean([(x.auc, x.ndcg, x.rmse) for x in same], axis=0).tolist()
        lines.append(Line(same[0].name, area, gain, error, np.mean(shares) if shares else None))
    return lines


def show(lines: list[Line]) -> None:
    print(
        "| vectors from | AUC | NDCG@10 | RMSE of stars | places in lists |\n|---|---|---|---|---|"
    )
    for line in lines:
        share = "" if line.places is None else f"{line.places:.1%}"
        print(f"| {line.name} | {line.auc:.3f} | {line.ndcg:.3f} | {line.rmse:.3f} | {share} |")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="a MovieLens folder")
    parser.add_argument("--seeds", type=int, default=5)
    given = parser.parse_args()
    try:
        ratings = Ratings.from_frame(read_dataset(given.data).ratings)
    except RecommenderError as error:
        raise SystemExit(f"{error}; say with --data where a MovieLens folder is") from None
    attributes = attributes_in(given.data, ratings)
    cold, warm, shares = [], [], []
    for seed in range(given.seeds):
        world = hold_out(ratings, seed)
        cold.append(from_attributes(world, attributes))
        warm.append(from_ratings(world, attributes))
        liked = (world.values >= LIKED).sum()
        shares.append(liked / (liked + (world.ranking.ratings.values >= LIKED).sum()))
    print(f"{ratings} · means of {given.seeds} seeds · {machine.in_one_line()}\n")
    show(averaged(cold))
    print(f"\nAmong what users liked, held-out movies are {np.mean(shares):.1%}.\n")
    show(averaged(warm))


if __name__ == "__main__":
    main()
