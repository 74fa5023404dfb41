"""An experiment on files: which protocol, which model, which files, how often."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from recommender.arrays import as_count
from recommender.errors import InvalidOptionError
from recommender.evaluation.full_ranking import checked_places
from recommender.models.by_name import MODELS, NamedModel, named_model

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from recommender.data.ratings import Ratings

MOST_SEEDS = 1_000

LARGEST_SEED = 2**32 - 1

MOST_NEGATIVES = 1_000_000_000
"""To be drawn for one user: more than any catalogue has, and still a number for every reader."""


@dataclass(frozen=True)
class ProtocolKind:
    """One published experiment.

    Attributes
    ----------
    name, meaning
        For commands and their help.
    needs
        What a model must be able to do: a field of :class:`NamedModel`.
    ks
        How many places of each list count unless said otherwise; none where there are no lists.
    shown
        Those of them that a table for people shows.
    """

    name: str
    meaning: str
    needs: str
    ks: tuple[int, ...] = ()
    shown: tuple[int, ...] = ()


PROTOCOLS = {
    kind.name: kind
    for kind in (
        ProtocolKind("rating", "predict the test's stars", "predicts_stars"),
        ProtocolKind(
            "leave-one-out", "rank each test item among items not chosen", "ranks", (5, 10, 20),
            (5, 10, 20),
        ),
        ProtocolKind(
            "full-ranking", "rank all items but those of the training", "ranks",
            (10, 20, 50, 100), (10,),
        ),
        ProtocolKind(
            "strong-generalization", "the same for users who are not in the training", "folds_in",
            (20, 50, 100), (20, 100),
        ),
    )
}  # fmt: skip
"""Every protocol by name."""

_ABILITIES = {
    "predicts_stars": "predicts no stars",
    "ranks": "ranks no items",
    "folds_in": "cannot rank for users whom its training never saw",
}


@dataclass(frozen=True)
class FoldFiles:
    """The files of one fold."""

    train: Path
    test: Path
    negatives: Path | None = None
    fold_in: Path | None = None


@dataclass(frozen=True)
class Experiment:
    """What is to be run.

    Attributes
    ----------
    protocol, model
        Names of :data:`PROTOCOLS` and :data:`MODELS <recommender.models.by_name.MODELS>`.
    options
        Of the model.
    defaults
        What options are that are not said, given the training part; the model's own where this
        does not say either.
    folds
        At least one.
    n_seeds
        How many seeds, from the first on.
    seed
        The first one: of the training, and of negatives that are drawn. That of the options, or
        the model's own, where not said.
    ks
        How many places of each list count; the protocol's own where not said.
    relevant_from
        Only test ratings of at least so many stars are relevant.
    sampled_negatives
        For leave-one-out without a file of negatives: how many are drawn for each user.
    timestamps
        Whether models may look at when ratings were given, where the files say so.

    Raises
    ------
    InvalidOptionError
        When a name is unknown, the model cannot do what the protocol needs, or something is
        missing, too much or out of its range.
    """

    protocol: str
    model: str
    folds: tuple[FoldFiles, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    defaults: Callable[[Ratings], Mapping[str, Any]] = field(default=lambda _train: {})
    n_seeds: int = 1
    ks: tuple[int, ...] = ()
    relevant_from: float | None = None
    sampled_negatives: int | None = None
    timestamps: bool = True
    seed: int | None = None

    def __post_init__(self) -> None:
        if self.protocol not in PROTOCOLS:
            raise InvalidOptionError(
                f"no protocol {self.protocol!r}; known are: {', '.join(PROTOCOLS)}"
            )
        self._check_model(named_model(self.model))
        self._check_files()
        self._check_numbers()

    @property
    def kind(self) -> ProtocolKind:
        """The protocol."""
        return PROTOCOLS[self.protocol]

    @property
    def places(self) -> list[int]:
        """How many places of each list count; none where there are no lists."""
        return checked_places(self.ks or self.kind.ks) if self.kind.ks else []

    @property
    def draws(self) -> bool:
        """Whether anything depends on a seed."""
        return named_model(self.model).is_random or self.sampled_negatives is not None

    @property
    def seeds(self) -> list[int | None]:
        """The seeds of the runs on each fold; one ``None`` where nothing depends on a seed."""
        if not self.draws:
            return [None]
        return list(range(self._first_seed, self._first_seed + self.n_seeds))

    @property
    def _first_seed(self) -> int:
        if self.seed is not None:
            return self.seed
        return int(getattr(named_model(self.model).make(self.options), "seed", 0))

    def _check_model(self, model: NamedModel) -> None:
        needs = self.kind.needs
        if not getattr(model, needs):
            able = [name for name, other in MODELS.items() if getattr(other, needs)]
            raise InvalidOptionError(
                f"{model.name} {_ABILITIES[needs]}, which the protocol {self.protocol} asks for; "
                f"models that do: {', '.join(able)}"
            )
        model.make(self.options)

    def _check_files(self) -> None:
        if not self.folds:
            raise InvalidOptionError("an experiment needs files: one to train on, one to test")
        for fold in self.folds:
            self._check_fold(fold)

    def _check_fold(self, fold: FoldFiles) -> None:
        given = fold.negatives is not None, self.sampled_negatives is not None
        if self.protocol == "leave-one-out" and sum(given) != 1:
            raise InvalidOptionError(
                "leave-one-out needs either a file of negatives or a number of sampled negatives; "
                f"found {'both' if all(given) else 'neither'}"
            )
        if self.protocol != "leave-one-out" and any(given):
            raise InvalidOptionError(
                f"negatives belong to the protocol leave-one-out, not to {self.protocol}"
            )
        strong = self.protocol == "strong-generalization"
        if strong is not (fold.fold_in is not None):
            raise InvalidOptionError(
                "strong-generalization needs a file to fold in: what is known of the test's users"
                if strong
                else f"a file to fold in belongs to the protocol strong-generalization, not to "
                f"{self.protocol}"
            )

    def _check_numbers(self) -> None:
        as_count(self.n_seeds, "the number of seeds")
        if self.n_seeds > MOST_SEEDS:
            raise InvalidOptionError(f"at most {MOST_SEEDS:,} seeds; found {self.n_seeds:,}")
        first, last = self._first_seed, self._first_seed + self.n_seeds - 1
        if not 0 <= first <= last <= LARGEST_SEED:
            raise InvalidOptionError(
                f"seeds must be whole numbers from 0 to {LARGEST_SEED}; found {first}"
                + (f" to {last}" if last > first else "")
            )
        if self.n_seeds > 1 and not self.draws:
            raise InvalidOptionError(
                f"{self.n_seeds} seeds would give the same figures {self.n_seeds} times: "
                f"{self.model} draws nothing at random; ask for one"
            )
        if self.sampled_negatives is not None:
            as_count(self.sampled_negatives, "the number of sampled negatives")
            if self.sampled_negatives > MOST_NEGATIVES:
                raise InvalidOptionError(
                    f"at most {MOST_NEGATIVES:,} sampled negatives; found {self.sampled_negatives}"
                )
        if self.kind.ks:
            checked_places(self.ks or self.kind.ks)
        elif self.ks or self.relevant_from is not None:
            what = "k" if self.ks else "relevant-from"
            raise InvalidOptionError(f"{what} says something of lists; {self.protocol} has none")
        if self.relevant_from is not None and not math.isfinite(self.relevant_from):
            raise InvalidOptionError(
                f"relevant-from must be a finite number; found {self.relevant_from!r}"
            )
