"""A learned model: frozen factors, biases and vocabularies, and what can be asked of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from recommender.arrays import (
    Mask,
    Rows,
    Scores,
    Vector,
    as_count,
    as_mask,
    as_values,
    codes_of_few,
    frozen,
)
from recommender.data.ratings import as_seconds
from recommender.errors import (
    InvalidInputError,
    UnknownIdError,
    UnknownItemError,
    UnknownUserError,
)
from recommender.explanation import Explanation, contributions
from recommender.fold_in import fold_in
from recommender.models.batch_scoring import fold_in_batch, score_batch
from recommender.models.checking import (
    check_histories,
    check_rows,
    check_table,
    last_of_each,
    unknown_id,
)
from recommender.models.folded_user import FoldedUser
from recommender.models.item_fold_in import fold_in_item, standing_users
from recommender.models.nearness import lengths, nearest
from recommender.solvers.equations import Standing
from recommender.top_k import NormOrder, exact_scores

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from recommender.arrays import ItemFactors, SparseRows, UserFactors
    from recommender.data.ratings import Ratings
    from recommender.data.vocabulary import Id, Vocabulary
    from recommender.models.item_fold_in import UsersStanding
    from recommender.models.item_vector import ItemVector
    from recommender.models.nearness import Nearness
    from recommender.models.objective import AnyObjective
    from recommender.models.time_effects import TimeEffects
    from recommender.models.uncertainty import Uncertainty


@dataclass(frozen=True, eq=False)
class FactorModel:
    """Users and items as vectors whose dot product ranks, or predicts stars.

    ``score(u, i) = mean + user_bias[u] + item_bias[i] + user_factors[u]·item_factors[i]``;
    a ranking model has neither mean nor biases.

    Attributes
    ----------
    user_factors
        (n_users, k) float32, read-only.
    item_factors
        (n_items, k) float32, read-only.
    ratings
        What it was trained on: the vocabularies, and which items each user has seen.
    objective
        The loss it minimizes, which folding in and explaining solve again.
    global_bias
        The mean of the training's values, or 0.
    user_biases, item_biases
        (n_users,) and (n_items,) float32, or ``None``.
    times
        What moments add to predictions, where the training learned that.
    uncertainty
        How far off predictions may be, where the training learned that.
    """

    user_factors: UserFactors
    item_factors: ItemFactors
    ratings: Ratings
    objective: AnyObjective
    global_bias: float = 0.0
    user_biases: NDArray[np.float32] | None = field(default=None)
    item_biases: NDArray[np.float32] | None = field(default=None)
    times: TimeEffects | None = field(default=None)
    uncertainty: Uncertainty | None = field(default=None)

    def __post_init__(self) -> None:
        k = self.item_factors.shape[-1]
        shapes = {
            "user_factors": (self.user_factors, (self.ratings.n_users, k)),
            "item_factors": (self.item_factors, (self.ratings.n_items, k)),
            "user_biases": (self.user_biases, (self.ratings.n_users,)),
            "item_biases": (self.item_biases, (self.ratings.n_items,)),
        }
        for name, (array, shape) in shapes.items():
            if array is not None:
                check_table(name, array, shape)
                object.__setattr__(self, name, frozen(array))
        if self.uncertainty is not None:
            check_table("user_spread", self.uncertainty.user_spread, (self.ratings.n_users,))
            check_table("item_spread", self.uncertainty.item_spread, (self.ratings.n_items,))
        if (self.user_biases is None) is not (self.item_biases is None):
            raise InvalidInputError("user_biases and item_biases come together or not at all")

    def __repr__(self) -> str:
        return (
            f"<FactorModel: {self.n_factors} factors, {len(self.users)} users, "
            f"{len(self.items)} items>"
        )

    @property
    def users(self) -> Vocabulary:
        """The user ids and their rows."""
        return self.ratings.users

    @property
    def items(self) -> Vocabulary:
        """The item ids and their rows."""
        return self.ratings.items

    @property
    def user_ids(self) -> NDArray[Any]:
        """(n_users,) ids in row order."""
        return self.users.ids

    @property
    def item_ids(self) -> NDArray[Any]:
        """(n_items,) ids in row order."""
        return self.items.ids

    @property
    def n_factors(self) -> int:
        """How many dimensions the embeddings have."""
        return int(self.item_factors.shape[1])

    def recommend(
        self,
        user_id: Id,
        n: int = 10,
        exclude_seen: bool = True,
        mask: ArrayLike | None = None,
    ) -> tuple[NDArray[Any], Scores]:
        """Return the n items with the largest scores, best first.

        Parameters
        ----------
        user_id
            A user of the training; for others, :meth:`fold_in`.
        n
            How many; fewer come back when fewer are left.
        exclude_seen
            Whether to leave out what the user rated in the training.
        mask
            (n_items,) bool, ``True`` where an item may appear.

        Returns
        -------
        (≤ n,) item ids and (≤ n,) float32 scores; equal scores stand in the order of their ids.

        Raises
        ------
        UnknownUserError
            When the training never saw the user.
        """
        row = self.user_row(user_id)
        allowed = as_mask(mask, len(self.items))
        seen = self.ratings.by_user.columns(row) if exclude_seen else None
        rows, scores = self._order.best(self.user_vector(row), as_count(n), allowed, seen)
        return self.item_ids[rows], scores

    def recommend_batch(
        self, user_ids: Sequence[Id] | NDArray[Any], n: int = 10, exclude_seen: bool = True
    ) -> tuple[NDArray[Any], NDArray[np.float32]]:
        """Return the n best items of many users.

        Returns
        -------
        (B, n) item ids and (B, n) float32 scores, best first; n is at most the number of items.
        When fewer than n are left for some user, both are masked arrays, and the missing places
        are masked.

        Raises
        ------
        UnknownUserError
            When the training never saw one of the users.
        """
        rows = _known(self.users.rows(user_ids), user_ids, "user", UnknownUserError)
        seen = self.ratings.by_user.rows(rows) if exclude_seen else None
        best, scores = self._order.best_of_each(
            self._vectors(rows), as_count(n), (seen.indptr, seen.indices) if seen else None
        )
        missing = best < 0
        ids = self.item_ids[np.maximum(best, 0)]
        if not missing.any():
            return ids, scores
        return np.ma.masked_array(ids, missing), np.ma.masked_array(scores, missing)

    def similar_items(
        self,
        item_id: Id,
        n: int = 10,
        mask: ArrayLike | None = None,
        by: Nearness = "cosine",
    ) -> tuple[NDArray[Any], Scores]:
        """Return the n items whose vectors point most nearly the same way.

        Parameters
        ----------
        item_id
            An item of the training.
        n
            How many; fewer come back when fewer are left.
        mask
            (n_items,) bool, ``True`` where an item may appear.
        by
            ``"cosine"``, or ``"dot"`` for the largest dot products.

        Returns
        -------
        (≤ n,) item ids without the item itself, and (≤ n,) float32 cosines or dot products,
        largest first.
        """
        row = self.item_row(item_id)
        allowed = as_mask(mask, len(self.items))
        vector = self.item_factors[row]
        rows, scores = nearest(
            self.item_factors, self.item_lengths, vector, as_count(n), allowed, by, without=row
        )
        return self.item_ids[rows], scores

    def similar_users(
        self, user_id: Id, n: int = 10, by: Nearness = "cosine"
    ) -> tuple[NDArray[Any], Scores]:
        """Return the n users whose vectors point most nearly the same way, with cosines.

        With ``by="dot"``, those with the largest dot products.
        """
        row = self.user_row(user_id)
        vector = self.user_factors[row]
        rows, scores = nearest(
            self.user_factors, self.user_lengths, vector, as_count(n), None, by, without=row
        )
        return self.user_ids[rows], scores

    def predict(
        self,
        user_ids: Sequence[Id] | NDArray[Any],
        item_ids: Sequence[Id] | NDArray[Any],
        timestamps: ArrayLike | None = None,
    ) -> NDArray[np.float32]:
        """Predict ``score(u, i)`` for pairs: stars, where the model learned stars.

        Parameters
        ----------
        user_ids, item_ids
            (n,) ids, pair by pair.
        timestamps
            (n,) whole seconds since 1970 of the ratings to predict: looked at by models that
            learned what moments do.

        Returns
        -------
        (n,) float32. An unknown user or item has no vector and no bias: what is known of the
        other side remains, and the mean.
        """
        return self._predict_rows(*self._pairs(user_ids, item_ids), timestamps)

    def predict_interval(
        self,
        user_ids: Sequence[Id] | NDArray[Any],
        item_ids: Sequence[Id] | NDArray[Any],
        coverage: float = 0.8,
        timestamps: ArrayLike | None = None,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Predict between which stars such a part of the ratings lies.

        Parameters
        ----------
        user_ids, item_ids, timestamps
            As in :meth:`predict`.
        coverage
            Between 0 and 1.

        Returns
        -------
        (n,) float32 the lower and the upper ends, which may lie beyond the scale.

        Raises
        ------
        InvalidInputError
            When the model did not learn how sure it is: ``BayesianMF`` does.
        """
        if self.uncertainty is None:
            raise InvalidInputError(
                "this model does not know how sure it is; train a BayesianMF for intervals"
            )
        users, items = self._pairs(user_ids, item_ids)
        middle = self._predict_rows(users, items, timestamps)
        half = self.uncertainty.half_width(users, items, coverage)
        return middle - half, middle + half

    def _predict_rows(
        self, users: Rows, items: Rows, timestamps: ArrayLike | None
    ) -> NDArray[np.float32]:
        known_users, known_items = users >= 0, items >= 0
        both = known_users & known_items
        predicted = np.full(len(users), self.global_bias, dtype=np.float32)
        if self.user_biases is not None and self.item_biases is not None:
            predicted[known_users] += self.user_biases[users[known_users]]
            predicted[known_items] += self.item_biases[items[known_items]]
        predicted[both] += np.einsum(
            "nk,nk->n", self.user_factors[users[both]], self.item_factors[items[both]]
        )
        if timestamps is not None and self.times is not None:
            predicted += self.times.at(users, as_seconds(timestamps, len(users)))
        return predicted

    def _pairs(
        self, user_ids: Sequence[Id] | NDArray[Any], item_ids: Sequence[Id] | NDArray[Any]
    ) -> tuple[Rows, Rows]:
        users, items = self.users.rows(user_ids), self.items.rows(item_ids)
        if users.shape != items.shape:
            raise InvalidInputError(
                f"user_ids and item_ids must be of one length; found {len(users)} and {len(items)}"
            )
        return users, items

    def fold_in(self, item_ids: Sequence[Id] | NDArray[Any], values: ArrayLike) -> FoldedUser:
        """Give a vector to someone whom training never saw, from a few ratings.

        Parameters
        ----------
        item_ids
            (n,) items of the training; of one that stands twice, the last value counts.
        values
            (n,) finite numbers on the scale of the training's values.

        Returns
        -------
        The vector that training would give to a user with these ratings while all items stand
        still; it answers ``recommend`` and ``explain`` like a known user.

        Raises
        ------
        UnknownItemError
            When the training never saw one of the items.
        """
        rows = _known(self.items.rows(item_ids), item_ids, "item", UnknownItemError)
        stars = as_values(values, "values", len(rows), "one for each item")
        return self.fold_in_rows(*last_of_each(rows, stars))

    def fold_in_item(
        self,
        user_ids: Sequence[Id] | NDArray[Any],
        values: ArrayLike,
        around: ItemVector | None = None,
    ) -> ItemVector:
        """Give a vector to an item that training never saw, from a few ratings.

        Parameters
        ----------
        user_ids
            (n,) users of the training; of one that stands twice, the last value counts.
        values
            (n,) finite numbers on the scale of the training's values.
        around
            What the item is taken for until its ratings say otherwise, such as what its
            attributes say. Without, it is as in the training.

        Returns
        -------
        The vector, and the bias where there are biases, that training would give to an item with
        these ratings while all users stand still; for ``BayesianMF`` the mean of what it may be.

        Raises
        ------
        UnknownUserError
            When the training never saw one of the users.
        """
        rows = _known(self.users.rows(user_ids), user_ids, "user", UnknownUserError)
        stars = as_values(values, "values", len(rows), "one for each user")
        return self.fold_in_item_rows(*last_of_each(rows, stars), around)

    def explain(self, user_id: Id, item_id: Id) -> Explanation:
        """Say which rated items made the score of one item for one user.

        Returns
        -------
        The contributions of all items that the user rated; with ``base`` they add up to the score.
        """
        return self.folded(self.user_row(user_id)).explain(item_id)

    # What the rest of the project builds on: the same questions, asked by row.

    def user_row(self, user_id: Id) -> int:
        """Return the user's row; raises :class:`UnknownUserError`."""
        try:
            return self.users.row(user_id)
        except UnknownIdError:
            raise UnknownUserError(unknown_id("user", user_id)) from None

    def item_row(self, item_id: Id) -> int:
        """Return the item's row; raises :class:`UnknownItemError`."""
        try:
            return self.items.row(item_id)
        except UnknownIdError:
            raise UnknownItemError(unknown_id("item", item_id)) from None

    def fold_in_rows(self, rows: Rows, values: NDArray[np.float32]) -> FoldedUser:
        """Fold in by row: (n,) distinct item rows in any order, and (n,) float32 values."""
        order = np.argsort(rows)
        rated, stars = rows[order], values[order]
        codes, levels = codes_of_few(stars)
        vector = fold_in(
            rated,
            codes,
            self.objective.weights(levels),
            self.objective.goals(levels),
            self._standing,
            self._ridge(len(rated)),
            self._design.shape[1],
        )
        if not np.isfinite(vector).all():
            raise InvalidInputError(
                f"values up to {np.abs(stars).max():g} are too large to compute with; "
                "the training's were on another scale"
            )
        return FoldedUser(self, vector, rated, stars)

    def fold_in_item_rows(
        self, rows: Rows, values: NDArray[np.float32], around: ItemVector | None = None
    ) -> ItemVector:
        """Fold an item in by row: (n,) distinct user rows in any order, and (n,) float32 values."""
        return fold_in_item(self._standing_users, rows, values, self.n_factors, around)

    def folded(self, user_row: int) -> FoldedUser:
        """Return a user of the training as ``fold_in`` would, with the vector of the training."""
        rated, values = self.ratings.of_user(user_row)
        return FoldedUser(self, self.user_vector(user_row), rated.astype(np.int64), values)

    def score_user(self, user_row: int) -> Scores:
        """(n_items,) float32: the score of every item for a user of the training."""
        return self.score_all(self.folded(user_row).vector)

    def score_users(self, user_rows: Rows) -> NDArray[np.float32]:
        """(B, n_items) float32: the score of every item for each of (B,) users of the training.

        What may be asked is said by :class:`recommender.evaluation.contestants.Ranker`. The
        scores are the products of the vectors, with the biases where there are some.
        """
        return self._score_batch(self._vectors(check_rows(user_rows, len(self.users))))

    def score_histories(self, histories: SparseRows, rows: Rows) -> NDArray[np.float32]:
        """(B, n_items) float32: the score of every item for each of (B,) histories of strangers.

        What may be asked is said by :class:`recommender.evaluation.contestants.HistoryRanker`.
        Each is folded in, which is the half-step of the training. Who has rated nothing gets the
        items' biases, or zeros. Values that are too large to compute with are refused.
        """
        check_histories(histories, len(self.items))
        chosen = check_rows(rows, histories.n_rows)
        vectors = fold_in_batch(
            histories, chosen, self.objective, self._standing, self._design.shape[1]
        )
        return self._score_batch(vectors)

    def user_vector(self, user_row: int) -> Vector:
        """(k,) of a user of the training; with biases (k+1,), as folding in would give it."""
        vector: Vector = self.user_factors[user_row]
        if self.user_biases is None:
            return vector
        whole = np.empty(len(vector) + 1, np.float32)
        whole[:-1] = vector
        whole[-1] = self.user_biases[user_row] / np.float32(self.objective.bias_unit)
        return whole

    def _vectors(self, user_rows: Rows) -> NDArray[np.float32]:
        """(B, k or k+1) what the items' design meets, for users of the training."""
        vectors = self.user_factors[user_rows]
        if self.user_biases is None:
            return vectors
        biases = self.user_biases[user_rows] / np.float32(self.objective.bias_unit)
        return np.column_stack((vectors, biases))

    def _score_batch(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        return score_batch(vectors, self._design, self._offsets)

    def score_all(self, vector: Vector) -> Scores:
        """(n_items,) float32: the score of every item for a vector from folding in."""
        return exact_scores(self._design, self._offsets, vector)

    def score_rows(self, vector: Vector, rows: Rows) -> Scores:
        """(n,) float32: the scores of some items for a vector from folding in."""
        return exact_scores(self._design, self._offsets, vector, rows)

    def explain_vectors(
        self, rated: Rows, values: NDArray[np.float32], item_vectors: NDArray[np.float32]
    ) -> NDArray[np.float64]:
        """(m, len(rated)) float64: what each rating contributes to each of (m, k) item vectors."""
        return contributions(
            self._design[rated],
            self.objective.weights(values),
            self.objective.targets(values, self._baselines[rated]),
            self._gram,
            self._ridge(len(rated)),
            self.met_by_users(item_vectors),
        )

    def base_of(self, item_row: int) -> float:
        """Return the item's score for someone of whom nothing is known."""
        return float(self._baselines[item_row])

    def best_rows(
        self, vector: Vector, n: int, allowed: Mask | None = None, seen: Rows | None = None
    ) -> tuple[Rows, Scores]:
        """Return the rows and the scores of the n best items for a vector.

        ``allowed`` is (n_items,) bool, and ``seen`` are increasing rows that are left out as well.
        """
        return self._order.best(vector, n, allowed, seen)

    def _ridge(self, n_rated: int) -> float:
        return float(self.objective.ridge(n_rated, len(self.items)))

    def met_by_users(self, item_vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, k or k+1) float32: what a user's vector meets; for his bias the unit of biases.

        ``item_vectors`` are (n, k) float32, of items of the training or of others.
        """
        if self.item_biases is None:
            return item_vectors
        met = np.full((len(item_vectors), 1), self.objective.bias_unit, dtype=np.float32)
        return np.hstack((item_vectors, met))

    @cached_property
    def _design(self) -> NDArray[np.float32]:
        return frozen(self.met_by_users(self.item_factors))

    @cached_property
    def _baselines(self) -> NDArray[np.float32]:
        """(n_items,) what is said of an item before anything is known of the user."""
        mean = np.full(len(self.items), self.global_bias, dtype=np.float32)
        return frozen(mean if self.item_biases is None else mean + self.item_biases)

    @property
    def _offsets(self) -> NDArray[np.float32] | None:
        return None if self.item_biases is None else self._baselines

    @cached_property
    def _order(self) -> NormOrder:
        return NormOrder.of(self._design, self._offsets)

    @cached_property
    def _gram(self) -> NDArray[np.float32]:
        return self.objective.gram(self._design)

    @cached_property
    def _standing(self) -> Standing:
        return Standing.for_one_row(self._design, self._gram, self._baselines)

    @cached_property
    def _standing_users(self) -> UsersStanding:
        return standing_users(self)

    @cached_property
    def item_lengths(self) -> NDArray[np.float64]:
        """(n_items,) the length of each item's vector."""
        return lengths(self.item_factors)

    @cached_property
    def user_lengths(self) -> NDArray[np.float64]:
        """(n_users,) the length of each user's vector."""
        return lengths(self.user_factors)


def _known(
    rows: Rows, ids: Sequence[Id] | NDArray[Any], kind: str, error: type[UnknownIdError]
) -> Rows:
    """Return the rows of ids, all of which must have one; else raise the error for the first."""
    if (rows < 0).any():
        raise error(unknown_id(kind, list(ids)[int(np.argmax(rows < 0))]))
    return rows
