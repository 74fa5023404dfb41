"""What options are searched for: a protocol and a metric, on what is held out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from recommender.errors import InvalidOptionError
from recommender.evaluation.full_ranking import METRICS
from recommender.tuning.hold_out import HOLD_OUTS, HoldOut, hold_out
from recommender.tuning.judge import Judge
from recommender.tuning.space import FULL_RANKING, LEAVE_ONE_OUT, PROTOCOLS, RATING

if TYPE_CHECKING:
    from recommender.data.ratings import Ratings
    from recommender.tuning.space import Tunable

FIGURES: dict[str, dict[str, str]] = {
    FULL_RANKING: {"hr": "hit_rate"} | {name: name for name in METRICS},
    LEAVE_ONE_OUT: {"hr": "hit_rate", "hit_rate": "hit_rate", "ndcg": "ndcg"},
    RATING: {"rmse": "rmse", "mae": "mae"},
}
"""What can be searched for with each protocol, and how the evaluation calls it. What is said of
lists is written with their length, as in ``ndcg@10``."""

USUAL = {FULL_RANKING: "ndcg@10", LEAVE_ONE_OUT: "hr@10", RATING: "rmse"}
"""The metric of a protocol when none is asked for."""

_LONGEST_LIST = 1_000


@dataclass(frozen=True)
class Exam:
    """What options are searched for.

    Attributes
    ----------
    protocol
        ``"full-ranking"``, ``"leave-one-out"`` (among 100 unrated items) or ``"rating"``.
    metric
        Such as ``"ndcg@10"``; ``"hr@10"`` is the evaluation's ``hit_rate@10``.
    hold_out
        ``"time"`` or ``"random"``: see :func:`recommender.tuning.hold_out.hold_out`.
    seed
        Where the draws come from: users, negatives, what is held out.

    Raises
    ------
    InvalidOptionError
        When the protocol or the metric is unknown, or the metric is none of the protocol.
    """

    protocol: str
    metric: str
    hold_out: HoldOut = "time"
    seed: int = 0

    def __post_init__(self) -> None:
        for name, allowed in (("protocol", PROTOCOLS), ("hold_out", HOLD_OUTS)):
            value = getattr(self, name)
            if value not in allowed:
                shown = name.replace("_", "-")
                raise InvalidOptionError(f"{shown} must be {' or '.join(allowed)}; found {value!r}")
        self._figure()

    @classmethod
    def of(
        cls,
        tunable: Tunable,
        ratings: Ratings,
        protocol: str | None = None,
        metric: str | None = None,
        hold_out: str | None = None,
        seed: int = 0,
    ) -> Exam:
        """Fill in what is usual for the model and the ratings where nothing is asked for.

        Raises
        ------
        InvalidOptionError
            When something asked for does not exist, or does not go with the model.
        """
        chosen = tunable.protocols[0] if protocol is None else protocol
        if chosen not in tunable.protocols:
            raise InvalidOptionError(
                f"the protocol of {tunable.name} must be {' or '.join(tunable.protocols)}; "
                f"found {chosen!r}"
            )
        by_time: HoldOut = "random" if ratings.timestamps is None else "time"
        how: Any = by_time if hold_out is None else hold_out  # any word: it is checked above
        return cls(chosen, USUAL[chosen] if metric is None else metric, how, seed)

    @property
    def larger_is_better(self) -> bool:
        """Whether a larger score is a better one."""
        return self.protocol != RATING

    def judge(self, ratings: Ratings) -> Judge:
        """Hold out, and return who judges by it.

        Raises
        ------
        InvalidInputError
            When nothing can be held out.
        """
        split = hold_out(ratings, self.protocol, self.hold_out, self.seed)
        return Judge.of(split, self.protocol, *self._figure(), self.seed)

    def _figure(self) -> tuple[str, int]:
        """Return what the evaluation calls it, and the length of the list; 0 without a list."""
        figures = FIGURES[self.protocol]
        if self.protocol == RATING:
            if self.metric in figures:
                return figures[self.metric], 0
            allowed = " or ".join(figures)
        else:
            found = re.fullmatch(r"([a-z_]+)@([1-9][0-9]{0,3})", self.metric)
            if found is not None and found[1] in figures and int(found[2]) <= _LONGEST_LIST:
                return figures[found[1]], int(found[2])
            names = " or ".join(f"{name}@N" for name in figures)
            allowed = f"{names}, with N from 1 to {_LONGEST_LIST}"
        raise InvalidOptionError(
            f"the metric of {self.protocol} must be {allowed}; found {self.metric!r}"
        )
