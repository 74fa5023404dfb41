"""How each program is made to train: its own interface, and a look at it after every epoch.

Packages are imported where they are used: a process has the program in memory that it measures,
and no other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.training.objective import Objective

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

    from benchmarks.training.matrix import Stored
    from benchmarks.training.programs import Spec
    from recommender import ImplicitALS

Factors = tuple["NDArray[np.float32]", "NDArray[np.float32]"]

INIT_SCALE = 0.1
"""Of the shared start where the objective is followed: N(0, (0.1/√k)²), as irspack has it."""


@dataclass
class Watch:
    """Notes the seconds of each epoch, and keeps the time of looking apart.

    Attributes
    ----------
    look
        Called after each epoch with what returns a peer's factors, in our units; returns the
        objective.
    """

    look: Callable[[Callable[[], Factors]], float] | None = None
    seconds: list[float] = field(default_factory=list)
    objectives: list[float] = field(default_factory=list)
    looking: float = 0.0

    def after(self, seconds: float, factors: Callable[[], Factors]) -> None:
        """Note an epoch."""
        self.seconds.append(seconds)
        if self.look is not None:
            started = perf_counter()
            self.objectives.append(self.look(factors))
            self.looking += perf_counter() - started


def objective_of(spec: Spec) -> Objective:
    """Return L as the worker was told of it."""
    return Objective(spec.regularization, spec.unobserved_weight, spec.frequency_scaling)


def start(spec: Spec, n_items: int) -> NDArray[np.float32]:
    """(n_items, k) the numbers that ``ImplicitALS`` starts with, drawn as it draws them."""
    deviation = INIT_SCALE / np.sqrt(spec.factors)
    shape = n_items, spec.factors
    draws = np.random.default_rng(spec.seed).standard_normal(shape)
    factors: NDArray[np.float32] = (deviation * draws).astype(np.float32)
    return factors


def load_program(spec: Spec) -> None:
    """Import what the training needs; ours also loads its compiled loops by a tiny training."""
    if spec.program == "implicit":
        import implicit.als  # noqa: F401
    elif spec.program == "irspack":
        import irspack.recommenders.ials  # noqa: F401
    else:
        from recommender import Ratings

        users = np.arange(70_000)  # numbers of 32 bits, and those of the items of 16
        tiny = Ratings.from_arrays(users, users % 60)
        our_model(spec, factors=min(spec.factors, 8), epochs=1).fit(tiny)


class Handed:
    """The matrix on its way to a program, which may let go of it as soon as it has its own.

    Only the program holds it then. implicit trains on the very arrays; irspack and ours make
    their own of them.
    """

    def __init__(self, matrix: csr_matrix) -> None:
        self._matrix: csr_matrix | None = matrix
        self.shape: tuple[int, int] = matrix.shape

    def take(self) -> csr_matrix:
        """Return the matrix, once."""
        matrix, self._matrix = self._matrix, None
        assert matrix is not None
        return matrix


def handed(spec: Spec, stored: Stored) -> Handed:
    """Return the matrix with the value that the program has to find in it."""
    value = objective_of(spec).implicit_confidence if spec.program == "implicit" else 1.0
    return Handed(stored.filled(value))


def train(spec: Spec, matrix: Handed, watch: Watch) -> Callable[[], Factors]:
    """Train, and return what gives the factors in our units.

    Peers look at their factors through the watch. Ours shows none before its end: see
    ``to_objective.py``.
    """
    if spec.program == "implicit":
        return _train_implicit(spec, matrix, watch)
    if spec.program == "irspack":
        return _train_irspack(spec, matrix, watch)
    return _train_ours(spec, matrix, watch)


def _train_implicit(spec: Spec, matrix: Handed, watch: Watch) -> Callable[[], Factors]:
    from implicit.als import AlternatingLeastSquares

    objective = objective_of(spec)
    if objective.frequency_scaling != 0:
        raise ValueError("implicit does not scale its regularization: ν must be 0")
    model = AlternatingLeastSquares(
        factors=spec.factors, regularization=objective.implicit_regularization,
        use_cg=spec.solver == "cg", iterations=spec.epochs, calculate_training_loss=False,
        num_threads=spec.threads, random_state=spec.seed,
    )  # fmt: skip
    root = np.float32(np.sqrt(objective.implicit_stretch))
    if spec.part == "objective":
        model.user_factors = np.zeros((matrix.shape[0], spec.factors), np.float32)
        model.item_factors = root * start(spec, matrix.shape[1])

    def factors() -> Factors:
        return model.user_factors / root, model.item_factors / root

    def after(_iteration: int, seconds: float, _loss: None) -> None:
        watch.after(seconds, factors)

    model.fit(matrix.take(), show_progress=False, callback=after)
    return factors


def _train_irspack(spec: Spec, matrix: Handed, watch: Watch) -> Callable[[], Factors]:
    from irspack.recommenders.ials import IALSTrainer, LossType, SolverType

    objective = objective_of(spec)
    # The trainer inside IALSRecommender, on float32: the recommender would keep a float64 copy
    # of the matrix beside it, and draw a progress bar.
    trainer = IALSTrainer(
        X=matrix.take(), n_components=spec.factors, alpha0=objective.unobserved_weight,
        reg=objective.regularization, nu=objective.frequency_scaling, init_std=INIT_SCALE,
        solver_type=getattr(SolverType, spec.solver.upper()), max_cg_steps=3,
        ialspp_subspace_dimension=64, loss_type=LossType.IALSPP, random_seed=spec.seed,
        n_threads=spec.threads, prediction_time_max_cg_steps=5,
        prediction_time_ialspp_iteration=7,
    )  # fmt: skip
    core = trainer.core_trainer
    if spec.part == "objective":
        core.user = np.zeros((matrix.shape[0], spec.factors), np.float32)
        core.item = start(spec, matrix.shape[1])

    def factors() -> Factors:
        return core.user, core.item

    for _ in range(spec.epochs):
        started = perf_counter()
        trainer.run_epoch()
        watch.after(perf_counter() - started, factors)
    return factors


def our_model(spec: Spec, **others: Any) -> ImplicitALS:
    """Return ``ImplicitALS`` with the options of the worker, or others."""
    from recommender import ImplicitALS

    options: dict[str, Any] = {
        "factors": spec.factors, "epochs": spec.epochs, "threads": spec.threads,
        "solver": spec.solver, "seed": spec.seed, "init_scale": INIT_SCALE,
        "regularization": spec.regularization, "unobserved_weight": spec.unobserved_weight,
        "frequency_scaling": spec.frequency_scaling, "weighting": "uniform",
    }  # fmt: skip
    return ImplicitALS(**{**options, **others})


def _train_ours(spec: Spec, matrix: Handed, watch: Watch) -> Callable[[], Factors]:
    from recommender import Ratings

    def nothing() -> Factors:
        raise RuntimeError("fit shows its factors at its end and not before")

    def after(_epoch: int, seconds: float, _loss: float | None) -> None:
        watch.after(seconds, nothing)

    ratings = Ratings.from_sparse(matrix.take())
    model = our_model(spec).fit(ratings, after)
    return lambda: (model.user_factors, model.item_factors)
