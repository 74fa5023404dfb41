"""Before any work: every file of an experiment is read, and whoever is to be judged is found.

What cannot be used in the last fold is told before the first one is trained, which may take hours.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from recommender.data.experiment_files import read_fold
from recommender.data.vocabulary import Vocabulary
from recommender.errors import FileFormatError, InvalidInputError
from recommender.evaluation.alignment import Terms, ask
from recommender.evaluation.leave_one_out import source_of
from recommender.evaluation.rating_prediction import kept_ratings
from recommender.models.by_name import named_model

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from recommender.arrays import Rows
    from recommender.data.experiment_files import Fold
    from recommender.data.ratings import Ratings
    from recommender.evaluation.contestants import Progress
    from recommender.evaluation.experiment import Experiment, FoldFiles


@dataclass(frozen=True, eq=False)
class Everyone:
    """The users of all folds, each once: those who are drawn again for an interval."""

    ids: Vocabulary

    @classmethod
    def of(cls, folds: Sequence[NDArray[Any]]) -> Self:
        """Bring the ids of several folds together; 7 and "7" are one where folds differ in that."""
        # Beside text numbers become text.
        return cls(Vocabulary.from_ids(np.concatenate(folds)))

    def __len__(self) -> int:
        return len(self.ids)

    def places(self, ids: NDArray[Any]) -> Rows:
        """(n,) int64: which of them these users are, -1 for nobody of them."""
        return self.ids.rows(ids if self.ids.holds_numbers else ids.astype(np.str_))


@dataclass(frozen=True, eq=False)
class Plan:
    """What is known before anything is trained.

    Attributes
    ----------
    judged
        Whoever is to be judged in some fold.
    n_test_users
        How many users are in the test of some fold.
    sha256
        For each fold the digest of each of its files, by role; ``None`` where it has none.
    seconds
        For each fold: how long it took to read.
    """

    judged: Everyone
    n_test_users: int
    sha256: tuple[dict[str, str | None], ...]
    seconds: tuple[float, ...]
    only: Fold | None

    @classmethod
    def of(cls, experiment: Experiment, progress: Progress) -> Self:
        """Read every fold and look whether it can be judged.

        Raises
        ------
        FileFormatError
            When a file cannot be used.
        TooFewRatingsError
            When there is nothing to learn from in a fold, or nobody left to be asked.
        InvalidInputError
            When the options of the model do not go with a fold.
        """
        judged, tested, digests, seconds = [], [], [], []
        n = len(experiment.folds)
        fold: Fold | None = None
        for number, files in enumerate(experiment.folds, start=1):
            fold = None  # the one before is let go before the next is read
            before = perf_counter()
            fold = read(experiment, files)
            seconds.append(perf_counter() - before)
            judged.append(_judged(experiment, fold, number))
            options_for(experiment, fold.train)
            tested.append(fold.test.users.ids[np.diff(fold.test.indptr) > 0])
            digests.append({role: _digest(path) for role, path in vars(files).items()})
            if n > 1:
                progress("reading and checking the folds", number, n)
        return cls(
            Everyone.of(judged), len(Everyone.of(tested)), tuple(digests), tuple(seconds),
            fold if n == 1 else None,
        )  # fmt: skip

    def fold(self, experiment: Experiment, number: int) -> Fold:
        """Return a fold, from 1. Of several one alone is in memory, so it is read again."""
        return self.only or read(experiment, experiment.folds[number - 1])


def read(experiment: Experiment, files: FoldFiles) -> Fold:
    """Read the files of one fold as the protocol wants them."""
    return read_fold(
        files.train,
        files.test,
        fold_in=files.fold_in,
        negatives=files.negatives,
        stars=experiment.protocol == "rating",
        relevant_from=experiment.relevant_from is not None,
        timestamps=experiment.timestamps,
    )


def options_for(experiment: Experiment, train: Ratings) -> Mapping[str, Any]:
    """Return the options that a training gets, but for its seed; refuse what the model does."""
    options = {**experiment.defaults(train), **experiment.options}
    named_model(experiment.model).make(options)
    return options


def _judged(experiment: Experiment, fold: Fold, number: int) -> NDArray[Any]:
    """Return the ids of who is left to be judged; an error says which fold of several."""
    try:
        return _asked_in(experiment, fold)
    except InvalidInputError as error:
        if len(experiment.folds) == 1:
            raise
        raise type(error)(f"fold {number} of {len(experiment.folds)}: {error}") from None


def _asked_in(experiment: Experiment, fold: Fold) -> NDArray[Any]:
    if experiment.protocol == "rating":
        kept, _ = kept_ratings(fold.train, fold.test)
        ids: NDArray[Any] = fold.test.users.ids[np.unique(fold.test.user_rows[kept])]
        return ids
    if experiment.protocol == "leave-one-out":
        n, least = experiment.sampled_negatives or 0, experiment.relevant_from
        given = n if fold.negatives is None else fold.negatives
        return source_of(fold.train, fold.test, given, least, 0).asked.user_ids
    known = fold.train if fold.fold_in is None else fold.fold_in
    terms = Terms(experiment.relevant_from, count_unknown_items=fold.fold_in is None)
    return ask(fold.train, known, fold.test, terms).user_ids


def _digest(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise FileFormatError(path, f"cannot be read: {error.strerror or error}") from error
