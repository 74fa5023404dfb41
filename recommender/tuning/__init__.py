"""Finding options: a search on a hold-out of the training part, and a file that keeps its best."""

from recommender.tuning.best_file import BestFile
from recommender.tuning.dimension import Dimension
from recommender.tuning.exam import Exam
from recommender.tuning.findings import Findings
from recommender.tuning.hold_out import HOLD_OUTS, digest
from recommender.tuning.journal import Trial
from recommender.tuning.options_file import read_options, write_options
from recommender.tuning.search import Budget, tune
from recommender.tuning.space import (
    PROTOCOLS,
    TUNABLES,
    Tunable,
    regularization_at,
    tunable,
)
from recommender.tuning.trials import require_optuna

__all__ = [
    "HOLD_OUTS",
    "PROTOCOLS",
    "TUNABLES",
    "BestFile",
    "Budget",
    "Dimension",
    "Exam",
    "Findings",
    "Trial",
    "Tunable",
    "digest",
    "read_options",
    "regularization_at",
    "require_optuna",
    "tunable",
    "tune",
    "write_options",
]
