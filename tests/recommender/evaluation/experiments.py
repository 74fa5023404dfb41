"""Small experiments with everything that may go wrong in them, and rankers that are no models."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recommender import Ratings
from recommender.evaluation.experiment import FoldFiles


@dataclass(frozen=True)
class Table:
    """A ranker whose scores are written down: one line a user of the training."""

    scores: np.ndarray

    def score_users(self, user_rows):
        return self.scores[user_rows].astype(np.float32)


def random_experiment(seed, n_users=12, n_items=15):
    """A training and a test that share some users and items, and some pairs."""
    rng = np.random.default_rng(seed)

    def draw(users, items, n):
        return Ratings.from_arrays(
            rng.choice(users, n), rng.choice(items, n), rng.integers(1, 11, n) / 2
        )

    train = draw(np.arange(n_users), np.arange(n_items), 60)
    # Beyond the last: users and items that training never saw.
    test = draw(np.arange(2, n_users + 3), np.arange(1, n_items + 3), 40)
    # Few distinct scores, so that there are ties.
    scores = rng.integers(0, 6, (train.n_users, train.n_items)) / 4
    return train, test, Table(scores)


def pairs(ratings):
    """{user id: {item id: stars}}."""
    found = {}
    for row, user in enumerate(ratings.users.ids.tolist()):
        items, values = ratings.of_user(row)
        found[user] = dict(zip(ratings.items.ids[items].tolist(), values.tolist(), strict=True))
    return {user: rated for user, rated in found.items() if rated}


def popularity(train):
    """{item id: how many users rated it}."""
    counts = dict.fromkeys(train.items.ids.tolist(), 0)
    for rated in pairs(train).values():
        for item in rated:
            counts[item] += 1
    return counts


def scores_of(train, table, user):
    """{item id: score} of one user; the popularity of items when training does not know him."""
    if user not in pairs(train):
        return popularity(train)
    line = table.scores[train.users.row(user)]
    return dict(zip(train.items.ids.tolist(), line.tolist(), strict=True))


def fold_for(files, protocol):
    """The files of one fold of a protocol, of the fixture ``files``."""
    if protocol == "strong-generalization":
        return FoldFiles(files["others"], files["held"], fold_in=files["fold-in"])
    negatives = files["negatives"] if protocol == "leave-one-out" else None
    return FoldFiles(files["train"], files["test"], negatives)
