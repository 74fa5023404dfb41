"""What every factor model must do, and every training; each model's test inherits it."""

import numpy as np
import pytest

from recommender import Ratings
from recommender.errors import (
    InvalidInputError,
    InvalidOptionError,
    TooFewRatingsError,
    UnknownItemError,
    UnknownUserError,
)
from recommender.models.alternation import equations
from tests.contracts.ranker_contract import WORLDS, RankerContract
from tests.recommender.worlds import random_ratings

LARGER_WORLDS = {
    name: world
    for name, world in WORLDS.items()
    if min((ratings := world()).n_users, ratings.n_items) > 1
}
"""Those that a factorization can learn from: of one user or one item it cannot."""


class FactorModelContract(RankerContract):
    """Inherit, and give ``fit(ratings, **options)`` and ``ratings()``."""

    worlds = LARGER_WORLDS
    threads = True
    tolerance = 2e-3
    """Of folding in, which is solved by itself, and not in the blocks of the training."""

    def ratings(self):
        raise AssertionError("each model's test brings its world")

    @pytest.fixture
    def model(self):
        return self.fit(self.ratings())

    # shape and state

    def test_factors_have_a_row_for_each_id_and_cannot_be_written(self, model):
        assert model.user_factors.shape == (len(model.user_ids), model.n_factors)
        assert model.item_factors.shape == (len(model.item_ids), model.n_factors)
        for factors in (model.user_factors, model.item_factors):
            assert factors.dtype == np.float32
            assert np.isfinite(factors).all()
            with pytest.raises(ValueError, match="read-only"):
                factors[0] = 1

    def test_a_second_fit_on_less_leaves_the_first_alone(self, model):
        before = model.recommend(model.user_ids[-1])
        few = self.ratings().select(np.arange(self.ratings().n_ratings) % 2 == 0)
        self.fit(few)
        after = model.recommend(model.user_ids[-1])
        np.testing.assert_array_equal(before[0], after[0])

    # ranking

    def naive_scores(self, model, user_row):
        scores = model.item_factors.astype(float) @ model.user_factors[user_row].astype(float)
        if model.item_biases is not None:
            scores += model.global_bias + model.user_biases[user_row] + model.item_biases
        return scores

    @pytest.mark.parametrize("exclude_seen", [True, False])
    @pytest.mark.parametrize("n", [1, 5, 1000])
    def test_lists_are_the_best_by_the_formula(self, model, n, exclude_seen):
        for row, user in enumerate(model.user_ids):
            ids, scores = model.recommend(user, n, exclude_seen)
            naive = self.naive_scores(model, row)
            seen = set(model.ratings.of_user(row)[0].tolist()) if exclude_seen else set()
            left = [item for item in range(len(naive)) if item not in seen]
            best = sorted(naive[left], reverse=True)[:n]
            assert len(ids) == len(best)
            np.testing.assert_allclose(scores, best, rtol=1e-4, atol=1e-5)
            np.testing.assert_allclose(naive[model.items.rows(ids)], best, rtol=1e-4, atol=1e-5)
            assert not seen & set(model.items.rows(ids).tolist())
            assert len(set(ids.tolist())) == len(ids)

    def test_a_mask_leaves_only_what_it_allows(self, model):
        mask = np.zeros(len(model.item_ids), bool)
        mask[::3] = True
        ids, _ = model.recommend(model.user_ids[0], 100, exclude_seen=False, mask=mask)
        assert sorted(ids.tolist()) == sorted(model.item_ids[mask].tolist())

    @pytest.mark.parametrize("mask", [[True], np.ones(3), "all"])
    def test_a_mask_of_another_kind_is_refused(self, model, mask):
        with pytest.raises(InvalidInputError, match="mask must be"):
            model.recommend(model.user_ids[0], mask=mask)

    @pytest.mark.parametrize("n", [0, -1, 1.5, True, "3"])
    def test_a_senseless_number_of_items_is_refused(self, model, n):
        with pytest.raises(InvalidInputError, match="at least 1"):
            model.recommend(model.user_ids[0], n=n)

    def test_a_batch_is_each_list_in_turn(self, model):
        users = model.user_ids[::2]
        ids, scores = model.recommend_batch(users, 4)
        assert ids.shape == scores.shape == (len(users), 4)
        for place, user in enumerate(users):
            alone, alone_scores = model.recommend(user, 4)
            np.testing.assert_array_equal(np.ma.compressed(ids[place]), alone)
            np.testing.assert_allclose(np.ma.compressed(scores[place]), alone_scores, rtol=1e-5)

    def test_a_batch_masks_what_is_not_there_instead_of_inventing(self, model):
        ids, _ = model.recommend_batch(model.user_ids, len(model.item_ids))
        assert isinstance(ids, np.ma.MaskedArray)
        left = [len(model.item_ids) - len(model.ratings.of_user(r)[0]) for r in range(len(ids))]
        assert (~np.ma.getmaskarray(ids)).sum(axis=1).tolist() == left

    def test_unknown_ids_are_named(self, model):
        stranger = 987654321
        for ask in (model.recommend, model.similar_users):
            with pytest.raises(UnknownUserError, match="987654321"):
                ask(stranger)
        with pytest.raises(UnknownUserError, match="987654321"):
            model.recommend_batch([model.user_ids[0], stranger])
        with pytest.raises(UnknownItemError, match="987654321"):
            model.similar_items(stranger)
        with pytest.raises(UnknownItemError, match="987654321"):
            model.explain(model.user_ids[0], stranger)
        with pytest.raises(UnknownItemError, match="987654321"):
            model.fold_in([stranger], [5])

    def test_neighbours_have_the_largest_cosines(self, model):
        for factors, ids, ask in (
            (model.item_factors, model.item_ids, model.similar_items),
            (model.user_factors, model.user_ids, model.similar_users),
        ):
            norms = np.linalg.norm(factors, axis=1)
            for row in range(0, len(ids), 3):
                cosines = factors @ factors[row] / (norms * norms[row])
                others = np.delete(np.arange(len(ids)), row)
                best = np.sort(cosines[others])[::-1][:4]
                found, scores = ask(ids[row], 4)
                assert ids[row] not in found
                np.testing.assert_allclose(scores, best, rtol=1e-4, atol=1e-5)

    def test_neighbours_by_dot_product_have_the_largest_products(self, model):
        for factors, ids, ask in (
            (model.item_factors, model.item_ids, model.similar_items),
            (model.user_factors, model.user_ids, model.similar_users),
        ):
            for row in range(0, len(ids), 3):
                products = (factors.astype(np.float64) @ factors[row].astype(np.float64)).astype(
                    np.float32
                )
                others = [other for other in range(len(ids)) if other != row]
                best = sorted(others, key=lambda other: (-products[other], other))[:4]
                found, scores = ask(ids[row], 4, by="dot")
                assert found.tolist() == ids[best].tolist()
                np.testing.assert_array_equal(scores, products[best])

    def test_neighbours_are_among_what_is_allowed(self, model):
        allowed = np.arange(len(model.item_ids)) % 2 == 0
        for item in model.item_ids[:4]:
            whole, _ = model.similar_items(item, len(model.item_ids))
            chosen = set(model.item_ids[allowed].tolist())
            expected = [other for other in whole.tolist() if other in chosen]
            found, _ = model.similar_items(item, 3, mask=allowed)
            assert found.tolist() == expected[:3]

    def test_another_nearness_is_refused(self, model):
        with pytest.raises(InvalidOptionError, match='"cosine" or "dot"'):
            model.similar_items(model.item_ids[0], by="euclid")

    # folding in and explaining

    def test_folding_in_a_user_of_the_training_gives_the_vector_of_the_training(self, model):
        for row, user in enumerate(model.user_ids):
            items, values = model.ratings.of_user(row)
            folded = model.fold_in(model.item_ids[items], values)
            trained = model.folded(row)
            np.testing.assert_allclose(folded.vector, trained.vector, rtol=2e-3, atol=2e-4)
            ids, scores = folded.recommend(3)
            # Of items that tie, another may stand there; so it is its score that must be right.
            np.testing.assert_allclose(scores, model.recommend(user, 3)[1], rtol=2e-3, atol=1e-3)
            rows = model.items.rows(ids)
            np.testing.assert_allclose(scores, model.score_user(row)[rows], rtol=2e-3, atol=1e-3)

    def test_the_order_of_ratings_does_not_matter_and_the_last_of_two_counts(self, model):
        items = model.item_ids[:4]
        forward = model.fold_in(items, [5, 1, 4, 2])
        backward = model.fold_in(items[::-1], [2, 4, 1, 5])
        twice = model.fold_in([items[0], *items], [1, 5, 1, 4, 2])
        np.testing.assert_array_equal(forward.vector, backward.vector)
        np.testing.assert_array_equal(forward.vector, twice.vector)

    def test_nothing_rated_is_a_zero_vector(self, model):
        assert not model.fold_in([], []).vector.any()

    @pytest.mark.parametrize("values", [[np.nan], [np.inf], [1, 2], ["x"]])
    def test_unusable_values_are_refused(self, model, values):
        with pytest.raises(InvalidInputError):
            model.fold_in(model.item_ids[:1], values)

    def test_an_explanation_adds_up_to_the_score(self, model):
        for row, user in enumerate(model.user_ids):
            ids, scores = model.recommend(user, 3)
            for item, score in zip(ids, scores, strict=True):
                told = model.explain(user, item)
                rated = model.item_ids[model.ratings.of_user(row)[0]]
                assert sorted(told.item_ids.tolist()) == sorted(rated.tolist())
                assert (np.diff(told.contributions) <= 0).all()
                total = told.base + told.contributions.sum()
                assert told.score == pytest.approx(total)
                assert total == pytest.approx(float(score), abs=1e-4)

    def test_predictions_are_the_formula_and_fall_back_to_what_is_known(self, model):
        user, item = model.user_ids[1], model.item_ids[2]
        expected = self.naive_scores(model, 1)[2]
        known, no_user, no_item, neither = model.predict(
            [user, 10**9, user, 10**9], [item, item, 10**9, 10**9]
        )
        assert known == pytest.approx(expected, rel=1e-4, abs=1e-5)
        bias = 0 if model.item_biases is None else model.item_biases[2]
        user_bias = 0 if model.user_biases is None else model.user_biases[1]
        assert no_user == pytest.approx(model.global_bias + bias, rel=1e-5)
        assert no_item == pytest.approx(model.global_bias + user_bias, rel=1e-5)
        assert neither == pytest.approx(model.global_bias)

    def test_predictions_for_lists_of_different_lengths_are_refused(self, model):
        with pytest.raises(InvalidInputError, match="of one length"):
            model.predict(model.user_ids[:2], model.item_ids[:1])

    # learning

    def test_ids_are_names_and_nothing_more(self):
        """Text in the same order as the numbers: the same factors under other names."""
        ratings = self.ratings()
        named = Ratings.from_arrays(
            [f"user {u:06d}" for u in ratings.users.ids[ratings.user_rows]],
            [f"item {i:06d}" for i in ratings.items.ids[ratings.indices]],
            ratings.values,
        )
        numbers, names = self.fit(ratings), self.fit(named)
        np.testing.assert_array_equal(numbers.item_factors, names.item_factors)
        assert names.recommend("user 000001", 1)[0][0].startswith("item 0")

    @pytest.mark.parametrize("n_users", [0, 1])
    def test_too_little_to_learn_from_is_said(self, n_users):
        ratings = Ratings.from_arrays([0, 0][: 2 * n_users], [0, 1][: 2 * n_users])
        with pytest.raises(TooFewRatingsError, match=r"no ratings|of one user"):
            self.fit(ratings)

    def test_one_item_is_too_few(self):
        with pytest.raises(TooFewRatingsError, match="of one item"):
            self.fit(Ratings.from_arrays([0, 1], [0, 0]))


class ModelContract(FactorModelContract):
    """What alternating least squares does besides: its loss falls, epoch by epoch."""

    def test_the_same_seed_gives_the_same_model_at_any_number_of_threads(self):
        many = random_ratings(np.random.default_rng(0), n_users=400, n_items=300, n=60_000)
        one = self.fit(many, seed=3, epochs=3, threads=1)
        for threads in (2, 3, 7):
            assert len(equations(many.by_user, one.objective, threads).shares) == threads
            other = self.fit(many, seed=3, epochs=3, threads=threads)
            np.testing.assert_array_equal(one.user_factors, other.user_factors)
            np.testing.assert_array_equal(one.item_factors, other.item_factors)
        other = self.fit(many, seed=4, epochs=3)
        assert not np.array_equal(one.user_factors, other.user_factors)

    @pytest.mark.parametrize("momentum", [False, True])
    def test_the_callback_sees_each_epoch_and_a_loss_that_never_rises(self, momentum):
        seen = []
        self.fit(
            self.ratings(), epochs=20, momentum=momentum, callback=lambda *told: seen.append(told)
        )
        assert [epoch for epoch, _, _ in seen] == list(range(1, 21))
        assert all(seconds >= 0 for _, seconds, _ in seen)
        losses = np.array([loss for _, _, loss in seen])
        assert (np.diff(losses) <= 5e-6 * losses[:-1]).all(), losses

    def test_endless_regularization_leaves_nothing(self):
        model = self.fit(self.ratings(), regularization=1e6)
        assert np.abs(model.user_factors).max() < 1e-3
