"""Many users at once: the same scores as one by one."""

import numpy as np
import pytest

from recommender import BiasedALS, ImplicitALS
from recommender.arrays import SparseRows
from recommender.errors import InvalidInputError
from tests.recommender.worlds import low_rank_stars

KINDS = [
    ImplicitALS(factors=5),
    ImplicitALS(factors=20, weighting="uniform"),
    BiasedALS(factors=5),
    BiasedALS(factors=5, biases=False),
]


@pytest.fixture(params=KINDS, ids=str, scope="module")
def model(request):
    return request.param.fit(low_rank_stars(noise=0.3))


def test_users_of_the_training(model):
    rows = np.array([3, 0, 59, 3])
    scores = model.score_users(rows)
    assert scores.shape == (4, 40)
    assert scores.dtype == np.float32
    expected = np.stack([model.score_user(row) for row in rows])
    np.testing.assert_allclose(scores, expected, rtol=1e-5, atol=1e-6)
    assert model.score_users(np.empty(0, np.int64)).shape == (0, 40)


def test_histories_are_folded_in(model):
    rng = np.random.default_rng(0)
    counts = np.array([3, 0, 12, 40, 1])
    indptr = np.concatenate(([0], np.cumsum(counts)))
    items = np.concatenate([np.sort(rng.choice(40, n, replace=False)) for n in counts])
    values = rng.integers(1, 11, len(items)).astype(np.float32) / 2
    histories = SparseRows.of(indptr, items.astype(np.int32), values, 40)
    rows = np.array([4, 2, 0, 3, 1, 2])
    scores = model.score_histories(histories, rows)
    assert scores.dtype == np.float32
    for line, row in zip(scores, rows, strict=True):
        own = slice(indptr[row], indptr[row + 1])
        folded = model.fold_in_rows(items[own], values[own])
        np.testing.assert_allclose(line, model.score_all(folded.vector), rtol=1e-3, atol=1e-3)


def test_the_history_of_the_training_gives_the_scores_of_the_training(model):
    rows = np.arange(60)
    scores = model.score_histories(model.ratings.by_user, rows)
    np.testing.assert_allclose(scores, model.score_users(rows), rtol=2e-3, atol=2e-3)


def test_values_too_large_to_compute_with_are_refused(model):
    histories = SparseRows.of(
        np.array([0, 2]), np.array([0, 1], np.int32), np.array([3e38, 3e38], np.float32), 40
    )
    if "uniform" in str(model.objective):
        assert np.isfinite(model.score_histories(histories, np.array([0]))).all()
        return
    with (
        pytest.raises(InvalidInputError, match="too large to compute with"),
        np.errstate(all="ignore"),
    ):
        model.score_histories(histories, np.array([0]))
