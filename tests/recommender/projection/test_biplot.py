"""The biplot against the dense decomposition that it must equal, and what it must not depend on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from recommender.errors import InvalidInputError
from recommender.projection.biplot import Biplot, biplot, raw_axes

Model = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64] | None]


@st.composite
def models(draw: st.DrawFn, max_k: int = 6) -> Model:
    """A small random model: correlated, some items equal, perhaps with biases."""
    seed = draw(st.integers(0, 2**32 - 1))
    n, m, k = draw(st.integers(1, 12)), draw(st.integers(1, 12)), draw(st.integers(1, max_k))
    random = np.random.default_rng(seed)
    stretch = 10.0 ** random.uniform(-2, 2, k)
    users = random.normal(size=(n, k)) * stretch + random.normal(size=k)
    items = random.normal(size=(m, k)) * random.permutation(stretch)
    items[random.random(m) < 0.3] = items[0]
    biases = random.normal(size=m) if draw(st.booleans()) else None
    return users, items, biases


def centred_scores(users: NDArray, items: NDArray, biases: NDArray | None) -> NDArray[np.float64]:
    """The matrix that the biplot never forms."""
    scores = users @ items.T + (0 if biases is None else biases)
    return scores - scores.mean(axis=1, keepdims=True)


def dots(plane) -> NDArray[np.float64]:
    return plane.users.astype(np.float64) @ plane.items.astype(np.float64).T


def close(a: NDArray, b: NDArray, scale: float, rel: float = 2e-6) -> bool:
    return np.allclose(a, b, rtol=0, atol=max(rel * scale, 1e-12))


def gap(sigma: NDArray[np.float64]) -> bool:
    """Whether second and third singular value differ, so that the best plane is one plane."""
    return len(sigma) < 3 or sigma[1] - sigma[2] > 0.02 * sigma[0]


@settings(deadline=None)
@given(models(), st.sampled_from([0.0, 0.3, 0.5, 1.0]), st.booleans())
def test_equals_the_dense_decomposition(model: Model, alpha: float, scaling: bool) -> None:
    X = centred_scores(*model)
    left, sigma, right_t = np.linalg.svd(X, full_matrices=False)
    plane = biplot(*model, alpha=alpha, scaling=scaling)
    r = min(len(sigma), len(plane.singular_values))
    assert close(plane.singular_values[:r], sigma[:r], sigma[0])
    assert close(plane.singular_values[r:], 0, sigma[0])
    if (total := (sigma**2).sum()) > 1e-20:
        assert plane.share == pytest.approx((sigma[:2] ** 2).sum() / total, abs=1e-9)
        assert sum(plane.axis_shares) == pytest.approx(plane.share)
    if gap(sigma):
        best = (left[:, :2] * sigma[:2]) @ right_t[:2]
        assert close(dots(plane), best, sigma[0])


@settings(deadline=None)
@given(models())
def test_coordinates_are_the_singular_vectors_of_the_scores(model: Model) -> None:
    X = centred_scores(*model)
    left, sigma, right_t = np.linalg.svd(X, full_matrices=False)
    plane = biplot(*model, alpha=1.0, scaling=False)
    for axis in range(min(2, len(sigma))):
        others = np.delete(sigma, axis)
        if sigma[axis] < 1e-3 * max(sigma[0], 1e-6) or np.any(
            np.abs(others - sigma[axis]) < 0.02 * sigma[0]
        ):
            continue  # no direction, or one shared with another axis
        sign = np.sign(plane.items[:, axis] @ right_t[axis])
        assert close(plane.items[:, axis], sign * right_t[axis], 1.0, 1e-4)
        assert close(plane.users[:, axis], sign * left[:, axis] * sigma[axis], sigma[0], 1e-4)


@settings(deadline=None)
@given(models(), st.integers(0, 2**32 - 1))
def test_the_same_model_in_other_factors_makes_the_same_picture(model: Model, seed: int) -> None:
    users, items, biases = model
    k = users.shape[1]
    random = np.random.default_rng(seed)
    turn = np.linalg.qr(random.normal(size=(k, k)))[0] * random.uniform(0.3, 3.0, k)
    before = biplot(users, items, biases)
    after = biplot(users @ turn, items @ np.linalg.inv(turn).T, biases)
    sigma = before.singular_values
    assert after.share == pytest.approx(before.share, abs=1e-6)
    if not gap(sigma):
        return
    assert close(dots(after), dots(before), sigma[0], 1e-5)
    own_axes = len(sigma) < 2 or sigma[0] - sigma[1] > 0.05 * sigma[0]
    if own_axes and (len(sigma) < 2 or sigma[1] > 0.05 * sigma[0]) and clear_signs(before):
        size = np.abs(before.items).max(initial=1e-12)
        assert close(after.items, before.items, size, 1e-3)
        assert close(after.users, before.users, np.abs(before.users).max(), 1e-3)


def clear_signs(plane: Biplot) -> bool:
    """Whether no two items on opposite sides compete for being furthest out."""
    high, low = plane.items.max(axis=0), -plane.items.min(axis=0)
    return bool(np.all(np.abs(high - low) > 1e-2 * np.maximum(high, low)))


@settings(deadline=None)
@given(models(), st.floats(0, 1), st.floats(0, 1))
def test_alpha_and_scaling_leave_the_dot_products(model: Model, one: float, other: float) -> None:
    first, second = biplot(*model, alpha=one), biplot(*model, alpha=other, scaling=False)
    assert close(dots(first), dots(second), first.singular_values[0], 1e-5)
    assert first.share == second.share


@settings(deadline=None)
@given(models())
def test_scaling_gives_both_clouds_one_radius(model: Model) -> None:
    plane = biplot(*model, alpha=0.2)
    if plane.singular_values[0] > 1e-6:
        users, items = (
            np.sqrt((c.astype(float) ** 2).sum(1).mean()) for c in (plane.users, plane.items)
        )
        assert users == pytest.approx(items, rel=1e-4)


@settings(deadline=None)
@given(models())
def test_the_furthest_item_lies_on_the_positive_side(model: Model) -> None:
    plane = biplot(*model)
    for axis in range(2):
        column = plane.items[:, axis]
        assert np.any(column >= np.abs(column).max() * (1 - 1e-4))


@settings(deadline=None)
@given(models())
def test_quality_is_the_share_of_a_row_or_a_column(model: Model) -> None:
    X = centred_scores(*model)
    left, sigma, right_t = np.linalg.svd(X, full_matrices=False)
    plane = biplot(*model)
    if not gap(sigma):
        return
    best = (left[:, :2] * sigma[:2]) @ right_t[:2]
    for axis, quality in ((1, plane.user_quality), (0, plane.item_quality)):
        total = (X**2).sum(axis)
        for row in np.flatnonzero(total > 1e-6 * sigma[0] ** 2):
            expected = (best**2).sum(axis)[row] / total[row]
            assert quality[row] == pytest.approx(expected, abs=1e-4)
        assert np.all((quality >= 0) & (quality <= 1))


@settings(deadline=None)
@given(models())
def test_a_known_user_placed_anew_lands_on_its_place(model: Model) -> None:
    plane = biplot(*model)
    assert close(plane.place_users(model[0]), plane.users, np.abs(plane.users).max(initial=0), 1e-5)


@settings(deadline=None)
@given(models(max_k=2))
def test_two_raw_factors_without_biases_are_exact(model: Model) -> None:
    users, items, _ = model
    if users.shape[1] == 1:
        users, items = np.hstack((users, users)), np.hstack((items, -items[::-1]))
    users, items = users.astype(np.float32), items.astype(np.float32)
    plane = raw_axes(users, items)
    assert np.array_equal(plane.users, users)
    assert np.array_equal(plane.items, items)
    assert plane.share == 1.0
    assert np.all(plane.user_quality == 1)
    assert np.all(plane.item_quality == 1)


@settings(deadline=None)
@given(models())
def test_raw_share_and_quality_equal_the_dense_ones(model: Model) -> None:
    users, items, biases = model
    if users.shape[1] < 3:
        return
    plane = raw_axes(users, items, biases, axes=(2, 0))
    assert np.array_equal(plane.users, users[:, [2, 0]].astype(np.float32))
    X, Y = centred_scores(*model), centred_scores(users[:, [2, 0]], items[:, [2, 0]], None)
    total = (X**2).sum()
    if total < 1e-9:
        return
    assert plane.share == pytest.approx(max(0.0, 1 - ((X - Y) ** 2).sum() / total), abs=1e-6)
    rows = (X**2).sum(1)
    for row in np.flatnonzero(rows > 1e-6 * rows.max()):
        expected = max(0.0, 1 - ((X - Y)[row] ** 2).sum() / rows[row])
        assert plane.user_quality[row] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("seed", range(5))
def test_ill_conditioned_factors_keep_their_digits(seed: int) -> None:
    """A Gram matrix in float64 would lose the directions that decide here."""
    random = np.random.default_rng(seed)
    stretch = 10.0 ** np.array([6.5, 3.0, 0.0])
    turn = np.linalg.qr(random.normal(size=(3, 3)))[0]
    users = random.normal(size=(40, 3)) * stretch @ turn
    items = random.normal(size=(30, 3)) / stretch @ turn
    sigma = np.linalg.svd(centred_scores(users, items, None), compute_uv=False)
    plane = biplot(users, items)
    assert np.allclose(plane.singular_values[:3], sigma[:3], rtol=1e-7)


def test_a_model_of_many_blocks_is_worked_through_to_its_end() -> None:
    random = np.random.default_rng(0)
    users, items = random.normal(size=(9_001, 2)), random.normal(size=(5_003, 2))
    plane = biplot(users, items)
    rows, columns = [0, 4_096, 9_000], [0, 4_097, 5_002]
    centred = users[rows] @ (items - items.mean(axis=0))[columns].T
    assert np.allclose(plane.users[rows] @ plane.items[columns].T, centred, atol=1e-4)
    assert np.allclose(plane.user_quality, 1)
    assert np.allclose(plane.item_quality, 1)


def test_one_user_one_axis() -> None:
    plane = biplot([[1.0, 2.0, 3.0]], np.eye(3))
    assert plane.users.shape == (1, 2)
    assert plane.share == pytest.approx(1.0)
    assert np.allclose(plane.items[:, 1], 0)
    assert np.allclose(dots(plane), [[-1, 0, 1]], atol=1e-6)


@pytest.mark.parametrize("biases", [None, np.array([0.5, -1.0, 0.0])])
def test_one_factor(biases: NDArray | None) -> None:
    users, items = np.array([[1.0], [2.0]]), np.array([[1.0], [0.0], [-2.0]])
    plane = biplot(users, items, biases)
    assert plane.share == pytest.approx(1.0)
    assert np.allclose(dots(plane), centred_scores(users, items, biases), atol=1e-6)
    raw = raw_axes(users, items)
    assert np.array_equal(raw.users, [[1, 0], [2, 0]])
    assert raw.share == 1.0


@pytest.mark.parametrize(
    ("users", "items"),
    [
        (np.zeros((4, 3)), np.ones((5, 3))),
        (np.ones((4, 3)), np.zeros((5, 3))),
        (np.ones((4, 3)), np.ones((5, 3))),
        (np.ones((4, 3)), np.ones((1, 3))),
    ],
)
def test_nothing_to_show_lies_at_the_origin(users: NDArray, items: NDArray) -> None:
    plane = biplot(users, items)
    assert not dots(plane).any()
    assert np.isfinite(plane.users).all()
    assert np.isfinite(plane.items).all()
    assert plane.share == 1.0
    assert np.all(plane.user_quality == 1)
    assert raw_axes(users, items).share == 1.0


def test_equal_movies_are_not_told_apart_by_rounding() -> None:
    users = np.array([[0.07394275, 0.53853692, 17.14142808], [1.0, -2.0, 0.3]])
    items = np.tile([1.44033223, 5.70752542, 0.54730625], (3, 1))
    plane = biplot(users, items)
    assert not plane.singular_values.any()
    assert not dots(plane).any()
    assert np.all(plane.user_quality == 1)
    assert raw_axes(users, items).share == 1.0


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", ["user_factors", "item_factors", "item_biases"])
@pytest.mark.parametrize("project", [biplot, raw_axes])
def test_numbers_that_are_not_finite_are_refused(bad: float, place: str, project) -> None:
    arrays = {
        "user_factors": np.ones((3, 2), np.float32),
        "item_factors": np.ones((4, 2), np.float32),
        "item_biases": np.ones(4, np.float32),
    }
    arrays[place].flat[1] = bad
    with pytest.raises(InvalidInputError, match=f"{place} holds .* only finite numbers"):
        project(**arrays)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([[1.0, 2.0]], [[1.0]]), "must have 2 factors"),
        ((np.ones((0, 2)), [[1.0, 2.0]]), "at least one of each"),
        (([1.0], [[1.0]]), "must have the shape"),
        (([["a"]], [[1.0]]), "must be numbers"),
        (([[1.0]], [[1.0]], [1.0, 2.0]), "one an item"),
        (([[1.0]], [[1.0]], None, 1.5), "alpha must lie between 0 and 1"),
        (([[1e200]], [[1.0]]), "too large"),
    ],
)
def test_what_cannot_be_used_is_refused_in_words(arguments: tuple, words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        biplot(*arguments)


@pytest.mark.parametrize("axes", [(0, 0), (0, 3), (-1, 0)])
def test_axes_that_are_no_factors_are_refused(axes: tuple[int, int]) -> None:
    with pytest.raises(InvalidInputError, match="two different factors between 0 and 2"):
        raw_axes(np.ones((2, 3)), np.ones((2, 3)), axes=axes)
