"""A training that begins where another ended."""

import numpy as np
import pytest

from recommender import BiasedALS, ImplicitALS, Ratings, load_generation
from recommender.errors import InvalidInputError
from recommender.generations import publish, write_generation
from recommender.models.starting import begin_from
from tests.recommender.models.trainings import SOLVERS, losses_of
from tests.recommender.worlds import random_ratings


def world(seed=0):
    return random_ratings(np.random.default_rng(seed), 40, 30, 400)


def als_of(kind, **options):
    if kind == "stars":
        return BiasedALS(**{"factors": 4, "epochs": 5} | options)
    solver = "cholesky" if kind == "ranking" else kind
    return ImplicitALS(**{"factors": 4, "epochs": 5, "solver": solver} | options)


kinds = pytest.mark.parametrize("kind", ["stars", *SOLVERS])


@kinds
@pytest.mark.parametrize("factors", [4, 16])
def test_it_goes_on_where_the_model_stands(kind, factors):
    first, told = losses_of(als_of(kind, factors=factors), world())
    before = first.item_factors.copy()
    _, after = losses_of(als_of(kind, factors=factors, seed=9), world(), start=first)
    assert after[0] <= told[-1] * (1 + 1e-6)
    assert after[0] < 0.9 * told[0]
    np.testing.assert_array_equal(first.item_factors, before)  # and leaves it as it was


@pytest.mark.parametrize("has_biases", [False, True])
def test_users_and_items_are_matched_by_id(has_biases):
    """New ones stand between the old; some of the old are gone."""
    ratings = world()
    first = BiasedALS(4).fit(
        Ratings.from_arrays(2 * ratings.user_rows, 3 * ratings.indices, ratings.values)
    )
    more = Ratings.from_arrays(ratings.user_rows + 4, ratings.indices + 5, ratings.values)
    W, H = np.full((2, 60, 8), 9, np.float32)
    W, H = W[: more.n_users], H[: more.n_items]
    begin_from(first, more, W, H, 4, has_biases)
    for ids, known, vectors, biases, table in (
        (more.users.ids, first.users, first.user_factors, first.user_biases, W),
        (more.items.ids, first.items, first.item_factors, first.item_biases, H),
    ):
        for row, name in enumerate(ids):
            expected = np.full(8, 9, np.float32)
            if name in known.ids:
                expected[:4] = vectors[known.row(name)]
                if has_biases:
                    expected[4] = biases[known.row(name)]
            np.testing.assert_array_equal(table[row], expected)
        assert 0 < np.isin(ids, known.ids).sum() < len(ids)


def test_ids_in_another_order_find_their_vectors():
    """Text sorts 10 before 9, numbers do not: rows differ, the vectors must follow the ids."""
    ratings = world()
    names = np.array([f"u{(7 * u) % 40}" for u in range(40)])
    named = Ratings.from_arrays(
        names[ratings.user_rows], ratings.indices.astype(str), ratings.values
    )
    first, _ = losses_of(ImplicitALS(4, epochs=60), named)
    keep = np.isin(named.user_rows, np.arange(5, 40)) & np.isin(named.indices, np.arange(3, 30))
    fewer = Ratings.from_arrays(
        named.users.ids[named.user_rows[keep]],
        named.items.ids[named.indices[keep]],
        named.values[keep],
    )
    assert fewer.n_users == 35
    warm = losses_of(ImplicitALS(4, epochs=1), fewer, start=first)[1][0]
    end = losses_of(ImplicitALS(4, epochs=60), fewer)[1][-1]
    cold = losses_of(ImplicitALS(4, epochs=1), fewer)[1][0]
    assert warm - end < 0.15 * (cold - end)


def test_nobody_of_the_start_is_there():
    ratings = world()
    first = ImplicitALS(4).fit(ratings)
    strangers = Ratings.from_arrays(
        ratings.user_rows + 1000, ratings.indices + 1000, ratings.values
    )
    named = Ratings.from_arrays(
        [f"user {u}" for u in ratings.user_rows],
        [f"item {i}" for i in ratings.indices],
        ratings.values,
    )
    for other in (strangers, named):
        warm = ImplicitALS(4).fit(other, start=first)
        np.testing.assert_array_equal(warm.item_factors, ImplicitALS(4).fit(other).item_factors)


@kinds
def test_another_number_of_factors_is_refused(kind):
    first = als_of(kind).fit(world())
    with pytest.raises(InvalidInputError, match="start has 4 factors, this training 5"):
        als_of(kind, factors=5).fit(world(), start=first)


@pytest.mark.parametrize("factors", [3, 15, 16])
def test_biases_of_the_start_come_along_only_where_there_are_biases(factors):
    ratings = world()
    stars = BiasedALS(factors, epochs=3).fit(ratings)
    plain = BiasedALS(factors, biases=False, epochs=3)
    without = type(stars)(stars.user_factors, stars.item_factors, ratings, stars.objective)
    for als in (ImplicitALS(factors, epochs=3), plain):
        model, told = losses_of(als, ratings, start=stars)
        same, as_told = losses_of(als, ratings, start=without)
        np.testing.assert_array_equal(told, as_told)
        np.testing.assert_array_equal(model.item_factors, same.item_factors)
    # And the other way round: they begin at zero.
    assert np.isfinite(BiasedALS(factors, epochs=3).fit(ratings, start=without).item_biases).all()
    with_biases = losses_of(BiasedALS(factors, epochs=1), ratings, start=stars)[1][0]
    assert with_biases < losses_of(BiasedALS(factors, epochs=1), ratings, start=without)[1][0]


def test_a_generation_on_disk_is_a_start(tmp_path):
    """Its arrays are memory-mapped and read-only."""
    ratings = world()
    ranking, stars = ImplicitALS(16, epochs=5).fit(ratings), BiasedALS(4, epochs=5).fit(ratings)
    when = "2026-11-23T10:00:00Z"
    number = write_generation(
        tmp_path, ranking, stars, watermark=1, metrics={}, options={}, trained_at=when
    )
    publish(tmp_path, number)
    opened = load_generation(tmp_path)
    assert not opened.ranking.item_factors.flags.writeable
    for als, here, there in (
        (ImplicitALS(16, epochs=3), ranking, opened.ranking),
        (BiasedALS(4, epochs=3), stars, opened.stars),
    ):
        one, other = als.fit(ratings, start=here), als.fit(ratings, start=there)
        np.testing.assert_array_equal(one.item_factors, other.item_factors)
    for array in (opened.ranking.user_factors, opened.ranking.item_factors):
        assert np.isfinite(array).all()
    np.testing.assert_array_equal(opened.ranking.item_factors, ranking.item_factors)
