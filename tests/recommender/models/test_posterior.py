import numpy as np
import pytest

from recommender.models.posterior import MeanProduct, Spread


def draws(n, shape=(30, 20), k=3, noise=1.0, seed=0):
    """Draws around one product of rank k."""
    rng = np.random.default_rng(seed)
    W, H = rng.normal(size=(shape[0], k)), rng.normal(size=(shape[1], k))
    for _ in range(n):
        yield (
            (W + noise * rng.normal(size=W.shape)).astype(np.float32),
            (H + noise * rng.normal(size=H.shape)).astype(np.float32),
        )


@pytest.mark.parametrize("n", [1, 7, 8, 9, 25])
def test_with_room_for_all_columns_it_is_the_mean_of_the_products(n):
    product, dense = MeanProduct(20), np.zeros((30, 20))
    for W, H in draws(n):
        product.add(W, H)
        dense += W.astype(float) @ H.T
    left, right = product.mean()
    assert (left.shape, right.shape) == ((30, 20), (20, 20))
    np.testing.assert_allclose(left @ right.T, dense / n, atol=1e-4)


def test_with_less_room_it_is_nearly_the_best_of_that_rank():
    product, dense = MeanProduct(3), np.zeros((30, 20))
    for W, H in draws(40, noise=0.3):
        product.add(W, H)
        dense += W.astype(float) @ H.T / 40
    left, right = product.mean()
    U, sizes, Vt = np.linalg.svd(dense)
    best = np.linalg.norm(dense - (U[:, :3] * sizes[:3]) @ Vt[:3])
    assert np.linalg.norm(dense - left @ right.T) <= 1.3 * best
    assert best < 0.1 * np.linalg.norm(dense)


def test_of_many_draws_few_are_held():
    product = MeanProduct(3)
    for W, H in draws(100):
        product.add(W, H)
        held = [*product._left, *product._right]
        assert sum(part.shape[1] for part in held) <= 2 * 3 * 8


def test_turned_draws_are_the_same_draws():
    """A chain turns its coordinates as it likes; averages of vectors would come to nothing."""
    rng, product, plain = np.random.default_rng(1), MeanProduct(3), MeanProduct(3)
    for W, H in draws(16, noise=0.0):
        turn = np.linalg.qr(rng.normal(size=(3, 3)))[0].astype(np.float32)
        product.add(W @ turn, H @ turn)
        plain.add(W, H)
    for one, other in ((product.mean(), plain.mean()),):
        np.testing.assert_allclose(one[0] @ one[1].T, other[0] @ other[1].T, atol=1e-4)


def test_the_spread_of_users_and_items_is_found():
    rng = np.random.default_rng(0)
    n, m = 60, 50
    users, items = rng.uniform(0.2, 3, n), rng.uniform(0.2, 3, m)
    spread = Spread(np.full(n, 9), np.full(m, 9), seed=0)
    for _ in range(400):
        # One coordinate a row, so that the variance of a product is users · items.
        W = (np.sqrt(users) * rng.normal(size=n))[:, None].astype(np.float32)
        H = (np.sqrt(items) * rng.choice([-1, 1], m))[:, None].astype(np.float32)
        spread.add(W, H)
    of_user, of_item = spread.fitted()
    np.testing.assert_allclose(np.outer(of_user, of_item), np.outer(users, items), rtol=0.35)


def test_one_draw_has_no_spread_and_breaks_nothing():
    spread = Spread(np.array([3, 0]), np.array([2, 1]), seed=0)
    spread.add(np.ones((2, 1), np.float32), np.ones((2, 1), np.float32))
    of_user, of_item = spread.fitted()
    assert np.isfinite(of_user).all()
    assert np.outer(of_user, of_item).max() < 1e-9
