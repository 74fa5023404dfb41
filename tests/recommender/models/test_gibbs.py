"""The draws of a prior, on rows whose prior is known."""

import numpy as np
import pytest

from recommender.models.gibbs import Prior, wishart

D = 3


def test_the_mean_of_wishart_draws_is_degrees_times_scale():
    random = np.random.default_rng(0)
    root = np.tril(random.normal(size=(D, D))) + 2 * np.eye(D)
    draws = np.mean([wishart(9, root, random) for _ in range(4000)], axis=0)
    np.testing.assert_allclose(draws, 9 * root @ root.T, rtol=0.06, atol=0.5)


def planted(n, r, seed=0):
    """Rows from N(m + xβ, Λ⁻¹) with features x of different sizes."""
    random = np.random.default_rng(seed)
    features = np.linalg.qr(random.normal(size=(n, r)))[0] if r else np.zeros((n, 0))
    sizes = np.linspace(60, 30, r)
    half = random.normal(size=(D, D)) + 2 * np.eye(D)
    covariance = half @ half.T / 10
    mean, slopes = random.normal(size=D), random.normal(size=(r, D))
    rows = mean + features @ (sizes[:, None] * slopes)
    rows += random.multivariate_normal(np.zeros(D), covariance, n)
    return rows, features, sizes, mean, slopes, covariance


@pytest.mark.parametrize("r", [0, 2])
def test_a_prior_is_found_from_many_rows(r):
    rows, features, sizes, mean, slopes, covariance = planted(4000, r)
    prior, random = Prior.begin(features, sizes, D), np.random.default_rng(1)
    drawn = []
    for number in range(300):
        prior.draw(rows, random)
        if number >= 50:
            drawn.append((prior.mean, np.linalg.inv(prior.precision), prior.slopes))
    found = [np.mean(parts, axis=0) for parts in zip(*drawn, strict=True)]
    np.testing.assert_allclose(found[0], mean, atol=0.1)
    np.testing.assert_allclose(found[1], covariance, rtol=0.1, atol=0.05)
    np.testing.assert_allclose(found[2], slopes, atol=0.1)
    np.testing.assert_allclose(prior.means()[:, 0].mean(), rows[:, 0].mean(), atol=0.1)


def test_draws_of_the_mean_scatter_as_the_posterior_says():
    """With n rows of variance v the mean is known to v / n."""
    rows, *_, covariance = planted(1000, 0)
    prior, random = Prior.begin(np.zeros((1000, 0)), np.zeros(0), D), np.random.default_rng(1)
    means = []
    for _ in range(2000):
        prior.draw(rows, random)
        means.append(prior.mean)
    scatter = np.cov(np.array(means).T)
    np.testing.assert_allclose(scatter * 1002, covariance, rtol=0.25, atol=0.1)


def test_few_rows_leave_the_prior_wide_and_finite():
    prior, random = Prior.begin(np.zeros((1, 0)), np.zeros(0), D), np.random.default_rng(1)
    for _ in range(200):
        prior.draw(np.zeros((1, D)), random)
        assert np.isfinite(prior.precision).all()
        assert np.linalg.eigvalsh(prior.precision).min() > 0


def test_with_few_rows_draws_of_the_precision_have_the_mean_of_their_distribution():
    """That of the normal-Wishart posterior, by hand: rows far from 0 make it wide, as β0 says."""
    rows = np.random.default_rng(0).normal((3, 0, -2), size=(5, D))
    prior, random = Prior.begin(np.zeros((5, 0)), np.zeros(0), D), np.random.default_rng(1)
    precisions, means = [], []
    for _ in range(6000):
        prior.draw(rows, random)
        precisions.append(prior.precision)
        means.append(prior.mean)
    mean = rows.mean(axis=0)
    scale = np.eye(D) + (rows - mean).T @ (rows - mean) + 2 * 5 / (2 + 5) * np.outer(mean, mean)
    expected = (D + 5) * np.linalg.inv(scale)
    np.testing.assert_allclose(np.mean(precisions, axis=0), expected, rtol=0.1, atol=0.03)
    np.testing.assert_allclose(np.mean(means, axis=0), 5 / (2 + 5) * mean, atol=0.05)


def test_with_features_draws_have_the_means_of_their_distributions():
    """Given slopes and their tightness; few rows and steep slopes, so that each term counts."""
    rng, random = np.random.default_rng(0), np.random.default_rng(1)
    n, r, tightness = 6, 2, 4.0
    features, sizes = np.linalg.qr(rng.normal(size=(n, r)))[0], np.array([2.0, 1.0])
    slopes, rows = rng.normal(size=(r, D)), rng.normal((3, 0, -2), size=(n, D))
    prior, precisions, held, scattered = Prior.begin(features, sizes, D), [], [], []
    certainty = (sizes**2 + tightness)[:, None]
    for _ in range(6000):
        prior.slopes, prior.tightness = slopes, tightness
        prior.draw(rows, random)
        precisions.append(prior.precision)
        # Σ of the new slopes by the new precision: what the new tightness is drawn by.
        length = np.trace(prior.slopes @ prior.precision @ prior.slopes.T)
        held.append(prior.tightness * (1 + length / 2))
        least_squares = sizes[:, None] * (features.T @ (rows - prior.mean)) / certainty
        scattered.append(np.sqrt(certainty) * (prior.slopes - least_squares))
    left = rows - features @ (sizes[:, None] * slopes)
    mean = left.mean(axis=0)
    scale = np.eye(D) + (left - mean).T @ (left - mean) + 2 * n / (2 + n) * np.outer(mean, mean)
    scale += tightness * slopes.T @ slopes
    expected = (D + n + r) * np.linalg.inv(scale)
    np.testing.assert_allclose(np.mean(precisions, axis=0), expected, rtol=0.1, atol=0.03)
    assert np.mean(held) == pytest.approx(1 + r * D / 2, rel=0.05)
    np.testing.assert_allclose(np.mean(scattered, axis=0), 0, atol=0.05)
    lengths = np.einsum("srd,sde,sre->s", scattered, precisions, scattered)
    assert np.mean(lengths) == pytest.approx(r * D, rel=0.05)
