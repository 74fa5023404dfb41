"""Rating prediction: how far predicted stars are from those that were given."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import numpy as np

from recommender.arrays import as_count, frozen
from recommender.errors import InvalidInputError, TooFewRatingsError
from recommender.evaluation.alignment import rows_of
from recommender.evaluation.outcome import Figure, Outcome
from recommender.evaluation.ranking_kernels import mark_members
from recommender.evaluation.star_metrics import bins_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recommender.data.ratings import Ratings
    from recommender.evaluation.contestants import Progress, StarPredictor

BINS = 10
"""Into how many bins predictions are dealt for the calibration error."""

INTERVAL = 0.8
"""The part of the ratings that an interval is asked to cover, where a model gives intervals."""

_AT_ONCE = 1 << 18
"""Pairs that are predicted at a time."""


def rating_prediction(
    predictor: StarPredictor,
    train: Ratings,
    test: Ratings,
    *,
    bins: int = BINS,
    progress: Progress | None = None,
) -> Outcome:
    """Predict every rating of the test, clipped to the scale of the training.

    Unknown users and items fall back to what the model knows of the other side (for most models,
    biases and the mean), and are counted. A test rating that the training has too is dropped.
    A model that takes timestamps is told when each rating was given, where both parts say so; the
    settings of the outcome say whether (``timestamps_given``).

    Parameters
    ----------
    predictor
        Trained on ``train``.
    train, test
        With ids of one kind; their vocabularies may differ.
    bins
        Into how many bins of equal width predictions are dealt for the calibration error.
    progress
        Told of each block of ratings.

    Returns
    -------
    ``rmse``, ``mae`` and ``calibration_error`` (see :mod:`recommender.evaluation.metrics`), over
    all ratings; for a model that gives intervals also ``interval_coverage``: ratings inside
    their 80 % interval, over all ratings. Users are drawn with all their ratings.

    Raises
    ------
    TooFewRatingsError
        When no rating is left.
    InvalidInputError
        When a prediction is not finite.

    Examples
    --------
    >>> from recommender import Ratings
    >>> from recommender.models.baselines import Biases
    >>> train = Ratings.from_arrays([1, 1, 2, 2], [1, 2, 1, 2], [5, 4, 3, 2])
    >>> test = Ratings.from_arrays([1, 2, 9], [3, 3, 1], [4.5, 2.5, 3])
    >>> outcome = rating_prediction(Biases(regularization=0).fit(train), train, test)
    >>> round(outcome.value("mae"), 4), outcome.counts["ratings_of_unknown_users"]
    (0.3333, 1)
    """
    n_bins = as_count(bins, "bins")
    levels, often = train.histogram()
    if not often.any():
        raise TooFewRatingsError("there are no training ratings, so there is no scale to clip to")
    low, high = float(levels[often > 0][0]), float(levels[often > 0][-1])
    kept, counts = kept_ratings(train, test)
    timed = _takes_times(predictor, train, test)
    predicted, inside = _predict(predictor, test, kept, timed, progress)
    counts["clipped"] = int(((predicted < low) | (predicted > high)).sum())
    predicted = np.clip(predicted, low, high)
    users = test.user_rows[kept]
    gaps = predicted - test.values[kept].astype(np.float64)

    def of_user(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.bincount(users, values, test.n_users)[asked], np.float64)

    n = np.bincount(users, minlength=test.n_users)
    asked = n > 0
    columns = {
        "users": np.ones(int(asked.sum())),
        "ratings": n[asked].astype(np.float64),
        "squared_error": of_user(np.square(gaps)),
        "absolute_error": of_user(np.abs(gaps)),
    }
    which = bins_of(predicted, n_bins)
    names = tuple(f"bin {number + 1}" for number in range(n_bins))
    for number, name in enumerate(names):
        columns[name] = of_user(gaps * (which == number))
    figures = {
        "rmse": Figure(("squared_error",), "ratings", "root"),
        "mae": Figure(("absolute_error",), "ratings"),
        "calibration_error": Figure(names, "ratings", "absolute"),
    }
    if inside is not None:
        columns["covered"] = of_user(inside.astype(np.float64))
        figures["interval_coverage"] = Figure(("covered",), "ratings")
    settings: dict[str, object] = {
        "clipped_to": [low, high],
        "bins": n_bins,
        "timestamps_given": timed,
    }
    return Outcome(columns, figures, {}, counts, settings, test.users.ids[asked])


def kept_ratings(train: Ratings, test: Ratings) -> tuple[NDArray[np.int64], dict[str, int]]:
    """Return which ratings are asked for, and what is unknown of them.

    Raises
    ------
    TooFewRatingsError
        When no rating is left.
    """
    rows, items = rows_of(train.users, test.users), rows_of(train.items, test.items)
    of_item = np.bincount(train.indices, minlength=train.n_items)
    for known, counted in ((rows, np.diff(train.indptr)), (items, of_item)):
        # After a split some ids of the vocabulary have no ratings; nothing is known of them.
        known[(known >= 0) & (counted[known] == 0)] = -1
    users, columns = rows[test.user_rows], items.astype(np.int32)[test.indices]
    known_already = np.zeros(test.n_ratings, np.bool_)
    mark_members(
        frozen(users), frozen(columns), frozen(train.indptr), frozen(train.indices), known_already
    )
    kept = np.flatnonzero(~known_already)
    counts = {
        "test_ratings": test.n_ratings,
        "test_users": int((np.diff(test.indptr) > 0).sum()),
        "already_known": int(known_already.sum()),
        "ratings_of_unknown_users": int((users[kept] < 0).sum()),
        "ratings_of_unknown_items": int((columns[kept] < 0).sum()),
    }
    if not len(kept):
        raise TooFewRatingsError(
            f"of {test.n_ratings:,} test ratings none is left: the training has them all"
        )
    return kept, counts


def _takes_times(predictor: StarPredictor, train: Ratings, test: Ratings) -> bool:
    """Whether times are told: without some in the training there is nothing to compare them to."""
    takes = "timestamps" in inspect.signature(predictor.predict).parameters
    return takes and train.timestamps is not None and test.timestamps is not None


def _predict(
    predictor: StarPredictor,
    test: Ratings,
    kept: NDArray[np.int64],
    timed: bool,
    progress: Progress | None,
) -> tuple[NDArray[np.float64], NDArray[np.bool_] | None]:
    """Return the predictions, and whether each rating is inside its interval if there are any."""
    predicted, actual = np.empty(len(kept)), test.values
    ask_interval = None
    if getattr(predictor, "uncertainty", None) is not None:
        ask_interval = getattr(predictor, "predict_interval", None)
    inside = None if ask_interval is None else np.empty(len(kept), np.bool_)
    tell = progress or (lambda _phase, _done, _total: None)
    tell("predicting", 0, len(kept))
    for begin in range(0, len(kept), _AT_ONCE):
        block = kept[begin : begin + _AT_ONCE]
        told: dict[str, Any] = {}
        if timed and test.timestamps is not None:
            told["timestamps"] = test.timestamps[block]
        pairs = test.users.ids[test.user_rows[block]], test.items.ids[test.indices[block]]
        part = slice(begin, begin + len(block))
        predicted[part] = predictor.predict(*pairs, **told)
        if ask_interval is not None and inside is not None:
            low, high = ask_interval(*pairs, INTERVAL, **told)
            given = actual[block]
            inside[part] = (low <= given) & (given <= high)
        tell("predicting", begin + len(block), len(kept))
    finite = np.isfinite(predicted)
    if not finite.all():
        wrong = kept[int(np.argmin(finite))]
        raise InvalidInputError(
            f"the prediction for user {test.users.id(test.user_rows[wrong])!r} and item "
            f"{test.items.id(test.indices[wrong])!r} is not finite; regularize more"
        )
    return predicted, inside
