"""Full ranking: the whole catalogue is ranked for each user, without what the user has seen.

The same ranking judges users of the training (on their held-out ratings) and users whom training
never saw (strong generalization, on the held-out part of what is known of them).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recommender.arrays import as_count, frozen
from recommender.errors import InvalidInputError
from recommender.evaluation.alignment import Terms, ask
from recommender.evaluation.list_metrics import gini_of
from recommender.evaluation.metrics import (
    auc,
    average_precision,
    capped_recall,
    hit_rate,
    ndcg,
    novelty,
    precision,
    recall,
    reciprocal_rank,
)
from recommender.evaluation.outcome import Figure, Outcome
from recommender.evaluation.ranking_kernels import find_hits, rank_share, win_share
from recommender.evaluation.scoring import scored_batches, shared_out

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from recommender.arrays import Rows
    from recommender.data.ratings import Ratings
    from recommender.evaluation.alignment import Asked
    from recommender.evaluation.contestants import HistoryRanker, Progress, Ranker
    from recommender.evaluation.scoring import Scored

METRICS: dict[str, Callable[[NDArray[np.bool_], NDArray[np.int64]], NDArray[np.float64]]] = {
    "ndcg": ndcg,
    "recall": recall,
    "capped_recall": capped_recall,
    "precision": lambda hits, _n_relevant: precision(hits),
    "map": average_precision,
    "mrr": lambda hits, _n_relevant: reciprocal_rank(hits),
    "hit_rate": lambda hits, _n_relevant: hit_rate(hits),
}
"""What is asked of lists, by the name in reports."""

MOST_PLACES = 10_000
"""Of each list. Every place is looked at for every user."""


def rank_catalogue(
    ranker: Ranker,
    train: Ratings,
    test: Ratings,
    ks: Sequence[int] = (10, 20, 50, 100),
    *,
    relevant_from: float | None = None,
    progress: Progress | None = None,
) -> Outcome:
    """Rank the whole catalogue for each user who has something in the test.

    Items of the user's training are left out of the ranking. A user of whom the training knows
    nothing is given the most popular items. Relevant items that training never saw cannot be
    ranked: they stay in the denominators, as misses. A test rating that the training has too is
    dropped. All are counted.

    Parameters
    ----------
    ranker
        Trained on ``train``.
    train, test
        With ids of one kind; their vocabularies may differ.
    ks
        How many places of each list count.
    relevant_from
        Only test ratings of at least so many stars are relevant; ``None`` for all.
    progress
        Told of each batch of users.

    Returns
    -------
    For each k ``ndcg@k``, ``recall@k`` (hits over relevant items), ``capped_recall@k`` (hits over
    min(k, relevant items)), ``precision@k``, ``map@k``, ``mrr@k``, ``hit_rate@k``, ``novelty@k``;
    of all lists together ``coverage@k`` and ``gini@k``; and ``auc``, over whole rankings.

    Raises
    ------
    TooFewRatingsError
        When nobody is left to be asked.
    InvalidInputError
        When a number is senseless, or a score is not finite.

    Notes
    -----
    Of equal scores the smaller id comes first, as in every list of this package; how many lists
    end between items of equal score is counted for each k (``lists_cut_in_a_tie@10``).
    """
    asked = ask(train, train, test, Terms(relevant_from))
    return judge_rankings(ranker.score_users, asked, ks, progress=progress)


def strong_generalization(
    ranker: HistoryRanker,
    train: Ratings,
    fold_in: Ratings,
    test: Ratings,
    ks: Sequence[int] = (20, 50, 100),
    *,
    relevant_from: float | None = None,
    progress: Progress | None = None,
) -> Outcome:
    """Rank for users whom training never saw, from a part of their ratings (Liang et al. 2018).

    The items of the fold-in are left out of the ranking. Items that training never saw are left
    out of both parts, and counted: so do Liang, Krishnan, Hoffman and Jebara, "Variational
    autoencoders for collaborative filtering" (2018), and Rendle, Krichene, Zhang and Koren,
    "Revisiting the performance of iALS on item recommendation benchmarks" (2021). Their recall is
    ``capped_recall@20`` and ``@50`` here, their NDCG ``ndcg@100``.

    Parameters
    ----------
    ranker
        Trained on ``train``.
    train
        Ratings of other users. That some are among those of ``fold_in`` is counted.
    fold_in
        What is known of the users who are asked.
    test
        What is to be found of the same users.
    ks, relevant_from, progress
        As in :func:`rank_catalogue`; so are the figures and the errors.
    """
    asked = ask(train, fold_in, test, Terms(relevant_from, count_unknown_items=False))
    asked.counts["users_in_training"] = int((train.users.rows(asked.user_ids) >= 0).sum())
    histories = asked.seen
    return judge_rankings(
        lambda rows: ranker.score_histories(histories, rows), asked, ks, progress=progress
    )


def judge_rankings(
    score: Callable[[Rows], NDArray[np.float32]],
    asked: Asked,
    ks: Sequence[int],
    *,
    whole: bool = True,
    progress: Progress | None = None,
) -> Outcome:
    """Rank, and compare with what is relevant.

    Parameters
    ----------
    score
        Gives (B, n_items) scores for (B,) rows of ``asked``.
    asked
        Who is asked for what.
    ks
        How many places of each list count.
    whole
        Whether figures are wanted that need more than the lists' hits: AUC, novelty, coverage and
        Gini. They take about as long again.
    progress
        Told of each batch of users.
    """
    places = checked_places(ks)
    found = _Found(asked, places, whole)
    for batch in scored_batches(score, asked, progress):
        found.add(batch)
    return found.outcome()


def checked_places(ks: Sequence[int]) -> list[int]:
    """Return the distinct numbers of places, ascending.

    Raises
    ------
    InvalidInputError
        When there is none, or one is no whole number from 1 to :data:`MOST_PLACES`.
    """
    if not len(ks):
        raise InvalidInputError("say how many places of each list count: k is empty")
    places = sorted({as_count(k, "k") for k in ks})
    if places[-1] > MOST_PLACES:
        raise InvalidInputError(f"k must be at most {MOST_PLACES:,}; found {places[-1]}")
    return places


class _Found:
    """What has been found so far."""

    def __init__(self, asked: Asked, ks: list[int], whole: bool) -> None:
        self.asked, self.ks, self.whole = asked, ks, whole
        n = asked.n_users
        names = [f"{name}@{k}" for k in ks for name in self._of_lists()]
        self.columns = {name: np.zeros(n) for name in ["users", *names]}
        self.columns["users"][:] = 1
        self.figures = {name: Figure((name,)) for name in names}
        if whole:
            self.columns |= {name: np.zeros(n) for name in ("auc", "has_auc", "has_list")}
            self.figures["auc"] = Figure(("auc",), "has_auc")
            for k in ks:
                self.figures[f"novelty@{k}"] = Figure((f"novelty@{k}",), "has_list")
        self.shown = {k: np.zeros(asked.n_items, np.int64) for k in ks}
        self.n_cut = dict.fromkeys(ks, 0)

    def _of_lists(self) -> Iterable[str]:
        return (*METRICS, "novelty") if self.whole else tuple(METRICS)

    def add(self, batch: Scored) -> None:
        """Rank a batch."""
        asked, users = self.asked, batch.users
        rows = frozen(asked.rows[users])
        given = (
            frozen(batch.lines), batch.scores, rows, frozen(asked.seen.indptr),
            frozen(asked.seen.indices),
        )  # fmt: skip
        lists = np.full((len(users), min(self.ks[-1], asked.n_items)), -1, np.int64)
        is_cut = np.zeros(len(users), np.bool_)
        for place in shared_out(lambda part: rank_share(part, *given, lists, is_cut), batch):
            if place >= 0:
                raise InvalidInputError(
                    f"user {asked.user_ids[users[place]].item()!r} has a score that is not finite; "
                    "only finite scores can be ranked"
                )
        self._add_ties(batch, lists, is_cut)
        begins, ends = frozen(asked.indptr[users]), frozen(asked.indptr[users + 1])
        relevant = frozen(asked.relevant)
        hits = np.zeros((len(users), self.ks[-1]), np.bool_)
        find_hits(frozen(lists), begins, ends, relevant, hits)
        for k in self.ks:
            for name, metric in METRICS.items():
                self.columns[f"{name}@{k}"][users] = metric(hits[:, :k], asked.n_relevant[users])
        if self.whole:
            self._add_lists(lists, users)
            wins, others = np.zeros(len(users)), np.zeros(len(users), np.int64)
            shared_out(
                lambda part: win_share(part, *given, begins, ends, relevant, wins, others), batch
            )
            self._add_auc(users, wins, others)

    def _add_ties(self, batch: Scored, lists: NDArray[np.int64], is_cut: NDArray[np.bool_]) -> None:
        """Count for each k the lists whose last item has the score of the next one."""
        for k in self.ks:
            if k == self.ks[-1]:
                self.n_cut[k] += int(is_cut.sum())
            elif k < lists.shape[1]:
                there = np.flatnonzero(lists[:, k] >= 0)
                lines = batch.lines[there]
                last = batch.scores[lines, lists[there, k - 1]]
                self.n_cut[k] += int((last == batch.scores[lines, lists[there, k]]).sum())

    def _add_lists(self, lists: NDArray[np.int64], users: Rows) -> None:
        """Note what was shown, and how new it is."""
        there = lists[:, 0] >= 0
        self.columns["has_list"][users] = there
        counts = self.asked.popularity.astype(np.int64)
        for k in self.ks:
            first = lists[:, :k]
            self.shown[k] += np.bincount(first[first >= 0], minlength=self.asked.n_items)
            if there.any():
                new = novelty(first[there], counts, max(self.asked.n_train_users, 1))
                self.columns[f"novelty@{k}"][users[there]] = new

    def _add_auc(self, users: Rows, wins: NDArray[np.float64], others: NDArray[np.int64]) -> None:
        """Note the pairs in the right order; who has no other items has no such figure."""
        there = others > 0
        n, others = self.asked.n_relevant[users[there]], others[there]
        # Pairs in the wrong order push the ranks of the relevant items down, each by one. An item
        # that training never saw stands below all.
        sums = n * (n + 1) / 2 + (n * others - wins[there])
        self.columns["has_auc"][users] = there
        if len(n):
            self.columns["auc"][users[there]] = auc(sums, n, n + others)

    def outcome(self) -> Outcome:
        """Return all of it."""
        wholes = {}
        if self.whole:
            for k in self.ks:
                wholes[f"coverage@{k}"] = float((self.shown[k] > 0).mean())
                wholes[f"gini@{k}"] = gini_of(self.shown[k])
        cut = {f"lists_cut_in_a_tie@{k}": n for k, n in self.n_cut.items()}
        counts = self.asked.counts | cut
        return Outcome(self.columns, self.figures, wholes, counts, {}, self.asked.user_ids)
