"""Trainings that are watched, and losses by the slow loops."""

import numpy as np

from recommender.models.objective import ImplicitObjective
from recommender.solvers import reference

SOLVERS = ("cholesky", "conjugate_gradient", "subspace")


def losses_of(als, ratings, **options):
    """Fit; return the model, and the loss of each epoch."""
    told = []
    model = als.fit(ratings, lambda _epoch, _seconds, loss: told.append(loss), **options)
    return model, np.array(told)


def epochs_of(als, ratings, **options):
    """Fit; return what validate saw after each epoch, and the loss of each."""
    seen = []

    def validate(model):
        seen.append(model)
        return len(seen)  # better each time: nothing ends early

    _, told = losses_of(als, ratings, validate=validate, **options)
    return seen, told


def implicit_loss(model):
    """The loss of ``ImplicitALS`` in float64, pair by pair."""
    objective, ratings = model.objective, model.ratings
    ridges = (
        reference.implicit_ridge(
            matrix,
            objective.regularization,
            objective.unobserved_weight,
            objective.frequency_scaling,
        )
        for matrix in (ratings.by_user, ratings.by_item)
    )
    return reference.implicit_loss(
        ratings.by_user,
        objective.weights(ratings.values),
        model.user_factors,
        model.item_factors,
        objective.unobserved_weight,
        *ridges,
    )


def explicit_loss(model):
    """The loss of ``BiasedALS`` in float64, rating by rating."""
    objective, ratings = model.objective, model.ratings
    W, H = model.user_factors.astype(float), model.item_factors.astype(float)
    b_u, b_i = np.zeros(ratings.n_users), np.zeros(ratings.n_items)
    if model.user_biases is not None:
        b_u, b_i = model.user_biases.astype(float), model.item_biases.astype(float)
    loss = 0.0
    for user in range(ratings.n_users):
        for item, stars in zip(*ratings.of_user(user), strict=True):
            predicted = model.global_bias + b_u[user] + b_i[item] + W[user] @ H[item]
            loss += (predicted - float(stars)) ** 2
    for matrix, vectors, biases in ((ratings.by_user, W, b_u), (ratings.by_item, H, b_i)):
        for row in range(matrix.n_rows):
            count = int(matrix.indptr[row + 1] - matrix.indptr[row])
            held = objective.regularization * float(count) ** objective.frequency_scaling
            loss += held * (vectors[row] @ vectors[row] + biases[row] ** 2)
    return loss


def loss_of(model):
    """Whichever it is."""
    slow = implicit_loss if isinstance(model.objective, ImplicitObjective) else explicit_loss
    return slow(model)
