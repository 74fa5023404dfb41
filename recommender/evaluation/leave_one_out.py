"""Leave-one-out: what a user chose next, among items that the user did not choose.

The experiment of He et al., "Neural collaborative filtering" (2017), and of Rendle, Krichene, Zhang
and Anderson, "Neural collaborative filtering vs. matrix factorization revisited" (2020).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recommender.arrays import as_count, frozen, pointers
from recommender.data.ratings import Ratings
from recommender.errors import TooFewRatingsError
from recommender.evaluation.alignment import ask, relevant_ratings
from recommender.evaluation.full_ranking import checked_places
from recommender.evaluation.negatives import Drawn, Given
from recommender.evaluation.outcome import Figure, Outcome
from recommender.evaluation.ranking_kernels import place_positives
from recommender.evaluation.scoring import scored_batches

if TYPE_CHECKING:
    from collections.abc import Sequence

    from recommender.arrays import Rows
    from recommender.evaluation.alignment import Asked
    from recommender.evaluation.contestants import Progress, Ranker
    from recommender.evaluation.negatives import Lists, Source
    from recommender.evaluation.scoring import Scored


def leave_one_out(
    ranker: Ranker,
    train: Ratings,
    test: Ratings,
    negatives: Ratings | int,
    ks: Sequence[int] = (10,),
    *,
    relevant_from: float | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Outcome:
    """Rank each test item of a user among items that the user has not chosen.

    Of equal scores the test item comes last, so that a model which scores all items alike has no
    hit at all. An item that training never saw scores less than all others. A user with several
    test items counts once: each of them is ranked alone among the negatives, and the figures are
    averaged. Of whom training knows nothing, the popularity of items is the score.

    Parameters
    ----------
    ranker
        Trained on ``train``.
    train, test
        With ids of one kind; their vocabularies may differ. There may be any number of test
        ratings a user, usually one.
    negatives
        Who is asked about which items besides the test's; or how many such items are drawn for
        each user, among those of the training that the user has rated in neither part. A given
        negative that is one of the user's test items as well is dropped from the negatives.
    ks
        How many places of each ranking count.
    relevant_from
        Only test ratings of at least so many stars are ranked; ``None`` for all.
    seed
        Where drawn negatives come from.
    progress
        Told of each batch of users.

    Returns
    -------
    For each k ``hit_rate@k`` (test items among the first k, over test items) and ``ndcg@k``
    (1 / log2(rank + 1) where the rank is at most k, over test items); ``mrr`` (1 / rank, whatever
    the rank); ``auc`` (negatives below the test item, equal scores counting half, over negatives).

    Raises
    ------
    TooFewRatingsError
        When nobody is left to be asked.
    InvalidInputError
        When a number is senseless.

    Examples
    --------
    >>> from recommender.models.baselines import Popularity
    >>> train = Ratings.from_arrays([1, 2, 3, 3], ["alien", "cars", "cars", "dune"])
    >>> test = Ratings.from_arrays([1, 2], ["cars", "dune"])
    >>> negatives = Ratings.from_arrays([1, 2], ["dune", "alien"])
    >>> outcome = leave_one_out(Popularity.fit(train), train, test, negatives, ks=[1])
    >>> outcome.value("hit_rate@1"), outcome.value("auc")  # dune and alien have a rating each
    (0.5, 0.75)
    """
    places = checked_places(ks)
    source = source_of(train, test, negatives, relevant_from, seed)
    return _compare(ranker, source, places, progress)


def source_of(
    train: Ratings, test: Ratings, negatives: Ratings | int, relevant_from: float | None, seed: int
) -> Source:
    """Say who is asked, and where their negatives come from; as for :func:`leave_one_out`."""
    kept = relevant_ratings(test, relevant_from)
    n_users = int((np.diff(test.indptr) > 0).sum())
    if not kept.any():
        raise TooFewRatingsError(
            f"of {n_users:,} users with {test.n_ratings:,} test ratings none is left to be asked: "
            f"all ratings are below the relevant ones"
        )
    asked = ask(train, train, test.select(kept))
    asked.counts["test_ratings"] = test.n_ratings
    asked.counts["test_users"] = n_users
    asked.counts["below_relevant_from"] = int((~kept).sum())
    asked.counts["users_without_relevant_items"] = n_users - asked.n_users
    if isinstance(negatives, Ratings):
        return Given.of(train, test.select(kept), negatives, asked)
    n = as_count(negatives, "the number of negatives")
    return Drawn.of(train, test, asked, n, seed)


def _compare(ranker: Ranker, source: Source, ks: list[int], progress: Progress | None) -> Outcome:
    asked = source.asked
    names = [f"{name}@{k}" for k in ks for name in ("hit_rate", "ndcg")] + ["mrr", "auc"]
    columns = {name: np.zeros(asked.n_users) for name in ("users", *names)}
    n_negatives = 0
    for batch in scored_batches(ranker.score_users, asked, progress):
        lists = source.of_users(batch.users)
        n_negatives += len(lists.items)
        n_others = np.diff(lists.indptr)
        above, equal, owner = _places(batch, asked, lists)
        rank = 1 + above + equal
        of_positives = {
            "mrr": 1 / rank,
            "auc": 1 - (above + equal / 2) / np.maximum(n_others[owner], 1),
        }
        for k in ks:
            of_positives[f"hit_rate@{k}"] = (rank <= k).astype(np.float64)
            of_positives[f"ndcg@{k}"] = (rank <= k) / np.log2(rank + 1)
        # Among no others everyone is first, which says nothing.
        there = n_others > 0
        columns["users"][batch.users] = there
        for name, values in of_positives.items():
            total = np.bincount(owner, values, len(there))
            columns[name][batch.users] = there * total / asked.n_relevant[batch.users]
    without = asked.n_users - int(columns["users"].sum())
    if without == asked.n_users:
        raise TooFewRatingsError("no user is left with negatives to rank a test item among")
    asked.counts["users_without_negatives"] += without
    counts = asked.counts | {"negatives": n_negatives}
    figures = {name: Figure((name,)) for name in names}
    return Outcome(columns, figures, {}, counts, {}, asked.user_ids)


def _places(batch: Scored, asked: Asked, lists: Lists) -> tuple[Rows, Rows, Rows]:
    """Return how many negatives are above each positive, how many equal it, and whose it is."""
    n = asked.n_relevant[batch.users]
    indptr = pointers(n)
    owner = np.repeat(np.arange(len(n)), n)
    within = np.arange(indptr[-1]) - indptr[owner]
    begins = asked.indptr[batch.users]
    n_known = asked.indptr[batch.users + 1] - begins
    # Those that training never saw come after the others.
    positives = np.full(indptr[-1], -1, np.int32)
    known = within < n_known[owner]
    positives[known] = asked.relevant[(begins[owner] + within)[known]]
    above, equal = np.zeros(indptr[-1], np.int64), np.zeros(indptr[-1], np.int64)
    place_positives(
        frozen(batch.lines), batch.scores, frozen(indptr), frozen(positives),
        frozen(lists.indptr), frozen(lists.items), above, equal,
    )  # fmt: skip
    return above, equal, owner
