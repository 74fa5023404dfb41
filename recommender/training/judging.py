"""A recipe on held-out ratings, beside what serves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recommender.evaluation.gate import (
    Thresholds,
    Verdict,
    below_popularity,
    below_served,
    fallen,
    lost,
)
from recommender.evaluation.protocols import full_ranking
from recommender.evaluation.significance import paired_difference
from recommender.evaluation.trial import try_models
from recommender.training.fitting import Progress, common, fit
from recommender.training.recipe import Recipe, is_same, served_ranking

if TYPE_CHECKING:
    from recommender.data.ratings import Ratings
    from recommender.data.splitting import Split
    from recommender.generations import Generation


class Judge:
    """Compares a recipe with what serves, and keeps what it found."""

    def __init__(
        self, recipe: Recipe, served: Generation | None, thresholds: Thresholds, tell: Progress
    ) -> None:
        self.recipe = recipe
        self.served = served
        self.thresholds = thresholds
        self.tell = tell
        self.metrics: dict[str, float] = {}
        self._reasons: list[str | None] = []

    def count(self, ratings: Ratings) -> None:
        """See how much of the served model is left."""
        if self.served is None:
            return
        old = self.served.ranking
        for what, now, then in (
            ("users", ratings.users, old.users),
            ("items", ratings.items, old.items),
        ):
            self._reasons.append(lost(what, common(then, now), len(then), self.thresholds))

    def hold_out(self, split: Split) -> None:
        """Measure the recipe on held-out ratings; nothing when there are none to hold out.

        Both recipes begin anew: a model that serves has seen what is held out here.
        """
        if split.test.n_ratings == 0:
            return
        models = fit(split.train, self.recipe, "training on the past", self.tell)
        self.tell("evaluating on what came after", 0, 1)
        trial = try_models(*models, split)
        self.metrics = trial.metrics
        self._reasons.append(below_popularity(paired_difference(trial.ndcg, trial.popularity_ndcg)))
        if self.served is not None:
            self._reasons.append(
                fallen(trial.interval, self.served.manifest.metrics, self.thresholds)
            )
        self.tell("evaluating on what came after", 1, 1)
        other = None if self.served is None else served_ranking(self.served)
        if other is None or is_same(other, self.recipe.ranking):
            return
        phase = "training the served recipe on the past"
        self.tell(phase, 0, other.epochs)
        model = other.fit(split.train, lambda epoch, _s, _l: self.tell(phase, epoch, other.epochs))
        theirs = full_ranking(model, split)["ndcg"]
        mean = float(theirs.mean())
        self.metrics["served_ndcg_at_10"] = mean
        difference = paired_difference(trial.ndcg, theirs)
        self._reasons.append(below_served(difference, mean, self.thresholds))

    def verdict(self) -> Verdict:
        """Return what came of it; without a model that serves, reasons are notes."""
        reasons = tuple(reason for reason in self._reasons if reason is not None)
        return Verdict(notes=reasons) if self.served is None else Verdict(reasons)
