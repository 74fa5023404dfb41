"""Whether all programs minimize the same function: tried on a matrix small enough to be sure.

Every program trains on a tiny matrix until nothing moves any more, and the slow loops of
``recommender/solvers/reference.py`` compute the objective of what it found. The values must agree:
a comparison of programs that minimize different things would compare nothing.
"""

from __future__ import annotations

import json
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.training.matrix import Stored, from_pairs, hold_out, load, write
from benchmarks.training.objective import Objective
from benchmarks.training.programs import PROGRAMS, Program, Spec
from benchmarks.training.trainers import Watch, handed, train

TOLERANCE = 1e-5
"""Relative: they all compute in float32."""

FACTORS, EPOCHS = 4, 300


def tiny() -> Stored:
    """Two tastes with exceptions, 60 users and 40 items, one of which nobody rated."""
    generator = np.random.default_rng(1)
    same = np.equal.outer(np.arange(60) % 2, np.arange(40) % 2)
    rated = generator.random((60, 40)) < np.where(same, 0.5, 0.1)
    rated[:, 7] = False
    rated[0, 39] = True  # the last item, so that there are 40
    return hold_out(from_pairs(*np.nonzero(rated)), "tiny", "two tastes")


def minimum(program: Program, stored: Stored, folder: Path, scaling: float) -> float:
    """Train until nothing moves, and return the reference's value of the objective."""
    from recommender import Ratings
    from recommender.solvers.reference import implicit_loss

    objective = objective_for(stored, scaling)
    spec = Spec(
        "objective", program.name, program.solver, str(folder), FACTORS, EPOCHS, 1,
        objective.regularization, objective.unobserved_weight, scaling,
    )  # fmt: skip
    W, H = train(spec, handed(spec, stored), Watch())()
    counts = np.diff(stored.indptr), np.bincount(stored.indices, minlength=len(H))
    ones = np.ones(len(stored.indices), np.float32)
    matrix = Ratings.from_sparse(stored.filled(1.0)).by_user
    return implicit_loss(
        matrix, ones, W, H, objective.unobserved_weight,
        objective.ridge(counts[0], len(H)), objective.ridge(counts[1], len(W)),
    )  # fmt: skip


def objective_for(stored: Stored, scaling: float) -> Objective:
    """Return the objective of the comparison, for this matrix."""
    about = stored.about
    return Objective.for_matrix(about.n_users, about.n_items, about.n_ratings, scaling)


def minima(programs: tuple[Program, ...] = PROGRAMS) -> list[dict[str, Any]]:
    """Return each program's minimum for each ν that it can express; or why there is none."""
    found = []
    stored = tiny()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write(folder, stored)
        stored = load(folder)
        for program in programs:
            for scaling in program.scalings:
                row: dict[str, Any] = {"program": program.label, "scaling": scaling}
                try:
                    row["objective"] = minimum(program, stored, folder, scaling)
                except Exception as failed:  # not installed, or a solver that is not there
                    row["error"] = f"{type(failed).__name__}: {failed}"
                found.append(row)
    return found


def disagreement(rows: list[dict[str, Any]]) -> float:
    """Return by how much the largest value is above the smallest of the same ν, relatively."""
    worst = 0.0
    for scaling in {row["scaling"] for row in rows}:
        values = [r["objective"] for r in rows if r["scaling"] == scaling and "objective" in r]
        if values:
            worst = max(worst, max(values) / min(values) - 1)
    return worst


def main() -> None:
    """Print the minima as JSON."""
    warnings.simplefilter("ignore")
    rows = minima()
    print(json.dumps(rows))
    if disagreement(rows) > TOLERANCE:
        sys.exit(f"the minima differ by {disagreement(rows):.1e}: the objectives are not the same")


if __name__ == "__main__":
    main()
