"""Who takes part, with which solvers, and in which surroundings."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Kind = Literal["exact", "approximate", "subspace", "automatic"]
"""Solvers of one kind do the same mathematics and are compared with one another."""

OURS = "projectionist"


@dataclass(frozen=True)
class Program:
    """A program with one of its solvers.

    Attributes
    ----------
    name, solver
        The package, and its own word for the solver.
    kind
        ``exact``: Cholesky of each row's equations; ``approximate``: three steps of conjugate
        gradients from the last epoch's vector; ``subspace``: iALS++, a block of factors at a time.
    scalings
        The ν that it can express.
    environment
        What its process gets beside the environment of this one.
    smallest
        With fewer factors it is not run unless it is asked for by its own name.
    """

    name: str
    solver: str
    kind: Kind
    scalings: tuple[float, ...] = (0.0, 1.0)
    environment: dict[str, str] = field(default_factory=dict)
    smallest: int = 1

    @property
    def label(self) -> str:
        """As tables and ``--programs`` write it."""
        return f"{self.name}/{self.solver}"


# implicit asks for one BLAS thread (it warns otherwise) and starts its own by OpenMP. irspack uses
# no BLAS and no OpenMP. Ours limits BLAS by itself, so it gets what anybody's shell has.
_ONE_BLAS_THREAD = {"OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}

# iALS++ solves blocks of 64 factors or so: up to 64 it would be the exact solver once more.
_SUBSPACE_FROM = 128

PROGRAMS = (
    Program(OURS, "conjugate_gradient", "approximate"),
    Program("implicit", "cg", "approximate", (0.0,), _ONE_BLAS_THREAD),
    Program("irspack", "cg", "approximate"),
    Program(OURS, "cholesky", "exact"),
    Program("implicit", "cholesky", "exact", (0.0,), _ONE_BLAS_THREAD),
    Program("irspack", "cholesky", "exact"),
    Program(OURS, "subspace", "subspace", smallest=_SUBSPACE_FROM),
    Program("irspack", "ialspp", "subspace", smallest=_SUBSPACE_FROM),
    Program(OURS, "auto", "automatic"),
)


def chosen(words: list[str], factors: int) -> list[Program]:
    """Return the programs that the words name: ``implicit`` means all of its solvers.

    Raises
    ------
    ValueError
        When a word names nothing.
    """
    found = []
    for word in words:
        named = [p for p in PROGRAMS if word in (p.name, p.label)]
        if not named:
            known = sorted({p.name for p in PROGRAMS} | {p.label for p in PROGRAMS})
            raise ValueError(f"there is no program {word!r}; there are {', '.join(known)}")
        found += [p for p in named if word == p.label or factors >= p.smallest]
    return [program for program in PROGRAMS if program in found]  # in the order of the table


@dataclass(frozen=True)
class Spec:
    """One training, as a worker is told of it.

    Attributes
    ----------
    part
        ``epochs`` and ``memory``: train so many epochs, note seconds and peak memory.
        ``objective``: start where everybody starts, and note the objective after each epoch.
    matrix
        The folder with the stored matrix.
    epochs
        How many; with a target, how many at most.
    target
        Stop when the objective is no larger than this.
    score
        Whether the ranking is measured afterwards.
    """

    part: Literal["epochs", "memory", "objective"]
    program: str
    solver: str
    matrix: str
    factors: int
    epochs: int
    threads: int
    regularization: float
    unobserved_weight: float
    frequency_scaling: float
    seed: int = 0
    target: float | None = None
    score: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the fields as plain values."""
        return asdict(self)
