"""The order of the trainings: which matrix, how many factors, whose turn."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal
from zlib import crc32

from benchmarks import machine
from benchmarks.training import ceilings
from benchmarks.training.figures import target
from benchmarks.training.launch import ROOT, launch
from benchmarks.training.matrix import About, load_about
from benchmarks.training.objective import Objective
from benchmarks.training.programs import OURS, Program, Spec, chosen
from benchmarks.training.results import Record, Results, those

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Part = Literal["epochs", "memory", "objective"]


@dataclass(frozen=True)
class Plan:
    """What to measure, as the command line says it."""

    sizes: list[str]
    data: list[Path]
    factors: list[int]
    programs: list[str]
    parts: tuple[Part, ...]
    runs: int
    epochs: int
    iterations: int
    most: int
    scalings: list[float]
    threads: int
    timeout: float
    scratch: Path
    fresh: bool

    def to_json(self) -> dict[str, Any]:
        """Return what holds for every training of the session, as plain values."""
        names = ("runs", "epochs", "iterations", "threads")
        return {name: getattr(self, name) for name in names}


def measure(plan: Plan, results: Results) -> None:
    """Run everything, keeping each result as soon as it is there."""
    session = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    say(f"session {session}: {machine.in_one_line()}")
    results.add_session(
        {
            "session": session,
            "machine": machine.describe(),
            "plan": plan.to_json(),
            "ceilings": ceilings.measure(plan.threads),
            "agreement": agreement(),
        }
    )
    for folder, about in matrices(plan):
        for part in plan.parts:
            for factors in plan.factors:
                turns = Turns(plan, results, session, part, folder, about, factors)
                turns.objective() if part == "objective" else turns.epochs()


def say(line: str) -> None:
    """Tell whoever waits."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def agreement() -> list[Record]:
    """Try whether all minimize the same, in a process of its own.

    Raises
    ------
    SystemExit
        When they do not: then there is nothing to compare.
    """
    command = (sys.executable, "-m", "benchmarks.training.agreement")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr.strip() or "the programs could not be tried on the tiny matrix")
    rows: list[Record] = json.loads(done.stdout.strip().rpartition("\n")[2])
    return rows


def matrices(plan: Plan) -> Iterator[tuple[Path, About]]:
    """Write each matrix that is not there yet, and name its folder."""
    wanted = [(size, ("--like", size)) for size in plan.sizes]
    wanted += [(path.stem, ("--data", str(path.resolve()))) for path in plan.data]
    for name, source in wanted:
        # Files of one name may lie in several folders.
        folder = (plan.scratch / f"{name}-{crc32(' '.join(source).encode()):08x}").resolve()
        about = None if plan.fresh else load_about(folder)
        if about is None:
            say(f"writing the matrix {name}")
            module = (sys.executable, "-m", "benchmarks.training.matrix")
            subprocess.run((*module, str(folder), "--name", name, *source), cwd=ROOT, check=True)
            about = load_about(folder)
        assert about is not None
        yield folder, about


@dataclass(frozen=True)
class Turns:
    """The turns of all programs on one matrix with one number of factors, for one part."""

    plan: Plan
    results: Results
    session: str
    part: Part
    folder: Path
    about: About
    factors: int

    def programs(self) -> list[Program]:
        """Who takes part."""
        return chosen(self.plan.programs, self.factors)

    def epochs(self) -> None:
        """Time epochs and note peak memory, at the ν that all can express."""
        epochs = 1 if self.part == "memory" else self.plan.epochs + 1
        for run in range(self.plan.runs):
            for program in self.programs():
                self.train(program, run, 0.0, epochs, score=run == 0)

    def objective(self) -> None:
        """Let the peers set the objective, and see how soon ours is there."""
        for scaling in self.plan.scalings:
            able = [program for program in self.programs() if scaling in program.scalings]
            for run in range(self.plan.runs):
                for program in [p for p in able if p.name != OURS]:
                    self.train(program, run, scaling, self.plan.iterations, score=run == 0)
                goal = target(self.measured(scaling))
                epochs, reach = (
                    (self.plan.iterations, None) if goal is None
                    else (self.plan.most, goal.objective)
                )  # fmt: skip
                for program in [p for p in able if p.name == OURS]:
                    self.train(program, run, scaling, epochs, reach, score=run == 0)

    def measured(self, scaling: float) -> list[Record]:
        """Return what is known of the objective here, from this session or an earlier one."""
        return those(
            self.results.records(), part="objective", size=self.about.name,
            factors=self.factors, scaling=scaling, threads=self.plan.threads,
        )  # fmt: skip

    def train(
        self,
        program: Program,
        run: int,
        scaling: float,
        epochs: int,
        reach: float | None = None,
        *,
        score: bool,
    ) -> None:
        """Run one training and keep its result."""
        about = self.about
        objective = Objective.for_matrix(about.n_users, about.n_items, about.n_ratings, scaling)
        spec = Spec(
            self.part, program.name, program.solver, str(self.folder), self.factors, epochs,
            self.plan.threads, objective.regularization, objective.unobserved_weight, scaling,
            target=reach, score=score,
        )  # fmt: skip
        record = {
            "session": self.session, "run": run, "part": self.part, "size": about.name,
            "source": about.source, "n_ratings": about.n_ratings, "n_users": about.n_users,
            "n_items": about.n_items, "program": program.name, "solver": program.solver,
            "kind": program.kind, "factors": self.factors, "scaling": scaling,
            "threads": self.plan.threads, "regularization": objective.regularization,
            "target": reach,
        }  # fmt: skip
        found = launch(program, spec, self.plan.timeout)
        self.results.add(record | found)
        what = f"{about.name} {self.factors} factors ν={scaling:g} {self.part} run {run + 1}"
        result = found.get("error") or f"{sum(found['seconds']) / len(found['seconds']):.3g} s"
        say(f"{what}: {program.label}: {result}")
