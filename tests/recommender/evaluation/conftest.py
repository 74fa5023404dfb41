"""Files of small experiments, in every form."""

import numpy as np
import pytest

from tests.recommender.worlds import low_rank_stars


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Two folds of low-rank stars, in every form."""
    folder = tmp_path_factory.mktemp("experiment")
    ratings = low_rank_stars(40, 30, noise=0.3)
    part = np.random.default_rng(1).integers(0, 4, ratings.n_ratings)
    stars = np.clip(np.round(2 * ratings.values) / 2, 0.5, 5)
    rows = list(zip(ratings.user_rows, ratings.indices, stars, strict=True))

    def write(name, chosen, header="user,item,rating"):
        path = folder / name
        lines = [f"{user},{item},{value}" for user, item, value in chosen]
        path.write_text("\n".join([header, *lines]) + "\n")
        return path

    def of(numbers, users=range(40)):
        return [row for row, p in zip(rows, part, strict=True) if p in numbers and row[0] in users]

    rng = np.random.default_rng(2)
    lines = [f"{user},{item}" for user in range(40) for item in rng.choice(30, 9, replace=False)]
    negatives = folder / "negatives.csv"
    negatives.write_text("\n".join(["user,item", *lines]) + "\n")
    return {
        "train": write("train.csv", of({0, 1, 2})),
        "test": write("test.csv", of({3})),
        "train-2": write("train-2.csv", of({1, 2, 3})),
        "test-2": write("test-2.csv", of({0})),
        "others": write("others.csv", of({0, 1, 2, 3}, range(25))),
        "fold-in": write("fold-in.csv", of({0, 1, 2}, range(25, 40))),
        "held": write("held.csv", of({3}, range(25, 40))),
        "negatives": negatives,
    }
