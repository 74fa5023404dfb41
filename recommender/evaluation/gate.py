"""Whether a newly trained model may take the place of the one that serves.

Figures of held-out ratings have intervals over users, and only what lies beyond its interval
counts: a gate that refuses by chance is switched off by whoever runs it. docs/decisions/0020 says
why it asks just these questions.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

from recommender.errors import InvalidOptionError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recommender.evaluation.significance import Difference, Interval


@dataclass(frozen=True)
class Thresholds:
    """How much worse is too much.

    Attributes
    ----------
    tolerance
        0 … 1: by which part of its NDCG@10 the served recipe may be better than the new one, at
        the end of the interval that is kindest to the new one.
    kept_share
        0 … 1: which part must be left of the served model's users, of its items, and of the
        NDCG@10 that was measured when it was trained.

    Raises
    ------
    InvalidOptionError
        When one is outside its range.
    """

    tolerance: float = 0.02
    kept_share: float = 0.5

    def __post_init__(self) -> None:
        for name in ("tolerance", "kept_share"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise InvalidOptionError(f"{name} must lie between 0 and 1; found {value!r}")


@dataclass(frozen=True)
class Verdict:
    """What the gate says.

    Attributes
    ----------
    reasons
        Why the model is refused; none for one that may serve.
    notes
        What else should be known of it.
    """

    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def is_refusal(self) -> bool:
        """Whether the model is refused."""
        return bool(self.reasons)


def below_popularity(difference: Difference) -> str | None:
    """Say that lists are worse than popular movies for everybody, if they are.

    Parameters
    ----------
    difference
        NDCG@10 of the model less that of popularity, for the same users.
    """
    if difference.high >= 0:
        return None
    return (
        f"its NDCG@10 is below that of popularity by {-difference.mean:.4f} "
        f"({-difference.high:.4f} to {-difference.low:.4f})"
    )


def below_served(difference: Difference, served: float, thresholds: Thresholds) -> str | None:
    """Say that the served recipe is better on the same past, if it is by more than is tolerated.

    Parameters
    ----------
    difference
        NDCG@10 of the new recipe less that of the served one, both fitted on the same past.
    served
        The mean NDCG@10 of the served one.
    thresholds
        How much is tolerated.
    """
    if difference.high >= -thresholds.tolerance * served:
        return None
    return (
        f"its NDCG@10 is below that of the served recipe by {-difference.mean:.4f} "
        f"({-difference.high:.4f} to {-difference.low:.4f}) of {served:.4f}, and "
        f"{thresholds.tolerance:g} of it is tolerated"
    )


def fallen(
    measured: Interval, before: Mapping[str, float | None], thresholds: Thresholds
) -> str | None:
    """Say that the figure has collapsed since the served model was trained, if it has.

    Ratings that make no sense spoil every recipe alike and their own hold-out too, so that no
    comparison within one training sees them; what was measured before them does.

    Parameters
    ----------
    measured
        NDCG@10 of the new recipe.
    before
        The metrics of the served model, from its manifest.
    thresholds
        What must be left.
    """
    lowest = before.get("ndcg_at_10_low")
    if not isinstance(lowest, int | float) or not isfinite(lowest):
        return None
    if measured.high >= thresholds.kept_share * lowest:
        return None
    return (
        f"its NDCG@10 is {measured.mean:.4f} ({measured.low:.4f} to {measured.high:.4f}), less "
        f"than {thresholds.kept_share:g} of the {lowest:.4f} at least that the served model had "
        "when it was trained; are the ratings still what they were?"
    )


def lost(what: str, left: int, before: int, thresholds: Thresholds) -> str | None:
    """Say that too few of the served model's users or items are left, if so.

    Parameters
    ----------
    what
        ``"users"`` or ``"items"``.
    left
        How many of them the new model knows.
    before
        How many the served one knows.
    thresholds
        What must be left.
    """
    if left >= thresholds.kept_share * before:
        return None
    return (
        f"it knows {left:,} of the {before:,} {what} of the served model, less than "
        f"{thresholds.kept_share:g} of them"
    )
