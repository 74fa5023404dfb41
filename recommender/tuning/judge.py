"""Who scores the trials of a search: a protocol of the evaluation, on what is held out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from recommender.evaluation.alignment import ask
from recommender.evaluation.full_ranking import judge_rankings
from recommender.evaluation.leave_one_out import leave_one_out
from recommender.evaluation.rating_prediction import rating_prediction
from recommender.tuning.space import LEAVE_ONE_OUT, RATING

if TYPE_CHECKING:
    from recommender.data.ratings import Ratings
    from recommender.data.splitting import Split

NEGATIVES = 100
"""Among how many unrated items a rating held out must be found, in ``leave-one-out``."""

JUDGED, WATCHED = 10_000, 1_000
"""Of how many users at most the score of a trial is taken, and the one after each epoch."""


@dataclass(frozen=True, eq=False)
class Judge:
    """Scores models by what was held out.

    Attributes
    ----------
    train
        What trials may learn from.
    many, few
        What is held out of up to 10,000 users, and of up to 1,000 of them.
    protocol
        ``"full-ranking"``, ``"leave-one-out"`` or ``"rating"``.
    figure
        Of the protocol's outcome, such as ``"ndcg"``.
    length
        How many places of each list count; 0 where there is no list.
    seed
        Where negatives are drawn from.
    """

    train: Ratings
    many: Ratings
    few: Ratings
    protocol: str
    figure: str
    length: int
    seed: int

    @classmethod
    def of(cls, split: Split, protocol: str, figure: str, length: int, seed: int) -> Judge:
        """Draw whom to ask."""
        there = np.flatnonzero(np.diff(split.test.indptr))
        drawn = np.random.default_rng(seed).permutation(there)
        many, few = (_of_users(split.test, drawn[:n]) for n in (JUDGED, WATCHED))
        return cls(split.train, many, few, protocol, figure, length, seed)

    def score(self, model: Any) -> float:
        """Return the figure over all who are asked."""
        return self._figure(model, self.many)

    def watch(self, model: Any) -> float:
        """Return the figure over the few: for after each epoch."""
        return self._figure(model, self.few)

    def _figure(self, model: Any, test: Ratings) -> float:
        if self.protocol == RATING:
            return rating_prediction(model, self.train, test).value(self.figure)
        name = f"{self.figure}@{self.length}"
        if self.protocol == LEAVE_ONE_OUT:
            lengths = [self.length]
            found = leave_one_out(model, self.train, test, NEGATIVES, lengths, seed=self.seed)
            return found.value(name)
        # What `rank_catalogue` does, without the figures that nobody asks for here.
        asked = ask(self.train, self.train, test)
        return judge_rankings(model.score_users, asked, [self.length], whole=False).value(name)


def _of_users(test: Ratings, users: Any) -> Ratings:
    chosen = np.zeros(test.n_users, np.bool_)
    chosen[users] = True
    return test.select(chosen[test.user_rows])
