"""Other people's programs, told to minimize what we minimize: they must agree with us.

``implicit`` scales no regularization (ν = 0), ``irspack`` any (here ν = 1). With α0 the weight of
unrated pairs and s = 1 + α0, implicit counts a rated pair with C = s/α0 *in place of* the 1 of an
unrated one, so that its factors are √s times ours: ``benchmarks/training/objective.py`` has the
proof. Each of the two has solved for the users when it ends, or for the items.
"""

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from recommender import ImplicitALS, Ratings
from recommender.models.starting import random_start
from tests.recommender.models.trainings import implicit_loss, losses_of

HOW = "one of the peers in constraints/bench.txt is not installed: `make .venv/installed-bench`"

ALPHA, FACTORS = 0.2, 8


def world():
    """Groups of users and items, with noise: (120, 80) ones."""
    rng = np.random.default_rng(0)
    users, items = np.meshgrid(np.arange(120), np.arange(80), indexing="ij")
    chance = np.where(users % 6 == items % 6, 0.6, 0.05)
    return csr_matrix((rng.random((120, 80)) < chance).astype(np.float32))


def ours(regularization, scaling, epochs, solver="cholesky", start=None):
    als = ImplicitALS(
        FACTORS, regularization, ALPHA, scaling, epochs, solver=solver, weighting="uniform",
        momentum=False,
    )  # fmt: skip
    return losses_of(als, Ratings.from_sparse(world()), start=start)


def loss_of(W, H, regularization, scaling):
    """Ours, by the slow loops, of anybody's factors."""
    one = ours(regularization, scaling, 1)[0]
    return implicit_loss(type(one)(W, H, one.ratings, one.objective))


def first_items():
    """What ``ImplicitALS`` starts with."""
    return random_start(80, FACTORS, FACTORS, 0.1, 0)[:, :FACTORS].copy()


def of_implicit(regularization, epochs, use_cg):
    als = pytest.importorskip("implicit.cpu.als", reason=HOW)
    s = 1 + ALPHA
    with threadpool_limits(limits=1, user_api="blas"):  # or it warns
        peer = als.AlternatingLeastSquares(
            factors=FACTORS, regularization=regularization * s / ALPHA, alpha=1.0, use_cg=use_cg,
            iterations=epochs, num_threads=1, dtype=np.float32,
        )  # fmt: skip
        root = np.float32(np.sqrt(s))
        peer.user_factors = np.zeros((120, FACTORS), np.float32)
        peer.item_factors = root * first_items()
        peer.fit(world() * np.float32(s / ALPHA), show_progress=False)
    return peer.user_factors / root, peer.item_factors / root


def of_irspack(regularization, scaling, epochs, solver):
    ials = pytest.importorskip("irspack.recommenders.ials", reason=HOW)
    peer = ials.IALSTrainer(
        X=world(), n_components=FACTORS, alpha0=ALPHA, reg=regularization, nu=scaling,
        init_std=0.1, solver_type=getattr(ials.SolverType, solver), max_cg_steps=3,
        ialspp_subspace_dimension=FACTORS, loss_type=ials.LossType.IALSPP, random_seed=0,
        n_threads=1, prediction_time_max_cg_steps=5, prediction_time_ialspp_iteration=7,
    )  # fmt: skip
    peer.core_trainer.user = np.zeros((120, FACTORS), np.float32)
    peer.core_trainer.item = first_items()
    for _ in range(epochs):
        peer.run_epoch()
    return peer.core_trainer.user, peer.core_trainer.item


@pytest.mark.parametrize("epochs", [1, 2, 5, 20])
def test_implicit_is_at_our_loss_after_every_epoch(epochs):
    """Without scaling, exact, from the same start: one and the same sequence."""
    W, H = of_implicit(0.5, epochs, use_cg=False)
    _, told = ours(0.5, 0.0, epochs)
    assert loss_of(W, H, 0.5, 0.0) == pytest.approx(told[-1], rel=1e-4)


@pytest.mark.parametrize("scaling", [0.0, 1.0])
@pytest.mark.parametrize("epochs", [1, 2, 5, 20])
def test_irspack_is_at_our_loss_after_every_epoch(epochs, scaling):
    regularization = 0.5 if scaling == 0 else 0.02
    W, H = of_irspack(regularization, scaling, epochs, "CHOLESKY")
    _, told = ours(regularization, scaling, epochs)
    assert loss_of(W, H, regularization, scaling) == pytest.approx(told[-1], rel=1e-4)


@pytest.mark.parametrize("solver", ["conjugate_gradient", "subspace"])
def test_where_they_have_converged_we_stay(solver):
    """Their solution is a fixed point of ours, and ours has their loss."""
    W, H = of_irspack(0.02, 1.0, 300, "CHOLESKY")
    theirs = loss_of(W, H, 0.02, 1.0)
    begin = ours(0.02, 1.0, 1)[0]
    there = type(begin)(W, H, begin.ratings, begin.objective)
    still, told = ours(0.02, 1.0, 5, solver, start=there)
    assert told == pytest.approx(theirs, rel=1e-5)
    np.testing.assert_allclose(still.user_factors @ still.item_factors.T, W @ H.T, atol=1e-2)


def test_our_ways_and_theirs_end_at_one_loss():
    losses = [
        loss_of(*of_implicit(0.5, 300, use_cg=True), 0.5, 0.0),
        loss_of(*of_irspack(0.5, 0.0, 300, "CG"), 0.5, 0.0),
        loss_of(*of_irspack(0.5, 0.0, 300, "IALSPP"), 0.5, 0.0),
        *(
            ours(0.5, 0.0, 300, solver)[1][-1]
            for solver in ("cholesky", "conjugate_gradient", "subspace")
        ),
    ]
    assert max(losses) <= min(losses) * (1 + 2e-3), losses
