"""ml-latest-small: seconds for a whole training, and the quality of its ranking beside peers.

Run as ``python -m benchmarks.latest_small --data FOLDER [--runs 5] [--json]``. Each user's last
fifth by time is held out; the full catalogue without the user's training movies is ranked. Every
programme gets 64 factors, 16 epochs and all cores, each in turn, ``--runs`` times; the medians
are shown. Peers take part when the ``bench`` extra is installed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_matrix

from benchmarks import machine
from recommender import Ratings
from recommender.data.dataset import read_dataset
from recommender.data.splitting import Split, last_of_each_user
from recommender.errors import RecommenderError
from recommender.evaluation.protocols import Ranker, full_ranking
from recommender.evaluation.significance import bootstrap_mean
from recommender.models.baselines import Popularity
from recommender.solvers.threads import available_threads
from recommender.training import Recipe, prepare

if TYPE_CHECKING:
    from numpy.typing import NDArray

FACTORS, EPOCHS = 64, 16
LATEST_SMALL = Path(__file__).parents[2] / "shared" / "data" / "ml-latest-small"

Fit = Callable[[Ratings], Ranker]


@dataclass(frozen=True)
class Factors:
    """A peer's factors, ranked by our own evaluator."""

    users: NDArray[np.float32]
    items: NDArray[np.float32]

    def score_users(self, user_rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """(B, n_items) float32."""
        scores: NDArray[np.float32] = self.users[user_rows] @ self.items.T
        return scores


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    name: str
    fit_seconds: float
    ndcg: float
    low: float
    high: float


def with_implicit(ratings: Ratings) -> Ranker:
    """Fit implicit's exact ALS with its own defaults for what is not shared."""
    from implicit.als import AlternatingLeastSquares

    model = AlternatingLeastSquares(
        factors=FACTORS, iterations=EPOCHS, use_cg=False, num_threads=available_threads(),
        random_state=0,
    )  # fmt: skip
    model.fit(_csr(ratings), show_progress=False)
    return Factors(np.asarray(model.user_factors), np.asarray(model.item_factors))


def with_irspack(ratings: Ratings) -> Ranker:
    """Fit irspack's iALS by Cholesky with our regularization and unobserved weight."""
    from irspack import IALSRecommender

    ours = Recipe().ranking
    model = IALSRecommender(
        _csr(ratings).astype(np.float64), n_components=FACTORS, train_epochs=EPOCHS,
        alpha0=ours.unobserved_weight, reg=ours.regularization, nu=1.0, solver_type="CHOLESKY",
        n_threads=available_threads(),
    ).learn()  # fmt: skip
    return Factors(
        model.get_user_embedding().astype(np.float32), model.get_item_embedding().astype(np.float32)
    )


def _csr(ratings: Ratings) -> Any:
    ones = np.ones(ratings.n_ratings, dtype=np.float32)
    shape = (ratings.n_users, ratings.n_items)
    # Copies: implicit cannot read arrays that are read-only, and ours are.
    return csr_matrix((ones, ratings.indices.copy(), ratings.indptr.copy()), shape=shape)


def contenders() -> dict[str, Fit]:
    """List who takes part; who is not installed is named on standard error."""
    listed: dict[str, Fit] = {
        "popularity": Popularity.fit,
        "projectionist": Recipe().ranking.fit,
    }
    for name, fit in (("implicit", with_implicit), ("irspack", with_irspack)):
        try:
            __import__(name)
            listed[name] = fit
        except ImportError:
            sys.stderr.write(f"{name} is not installed (`make bench` installs it)\n")
    return listed


def ratings_in(place: Path) -> Ratings:
    """Read a MovieLens folder or zip; say so and stop when there is none."""
    try:
        return Ratings.from_frame(read_dataset(place).ratings, timestamp="timestamp")
    except RecommenderError as error:
        raise SystemExit(f"{error}; say with --data where a MovieLens folder or zip is") from None


def rank(split: Split, runs: int) -> list[Row]:
    """Fit everyone in turn, again and again."""
    prepare()
    seconds: dict[str, list[float]] = {}
    fitted: dict[str, Ranker] = {}
    for _ in range(runs):
        for name, fit in contenders().items():
            started = perf_counter()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # peers warn of BLAS threads
                fitted[name] = fit(split.train)
            seconds.setdefault(name, []).append(perf_counter() - started)
    rows = []
    for name, model in fitted.items():
        interval = bootstrap_mean(full_ranking(model, split)["ndcg"])
        median = statistics.median(seconds[name])
        rows.append(Row(name, median, interval.mean, interval.low, interval.high))
    return rows


def time_command(data: Path, runs: int) -> list[float]:
    """Time ``projectionist train`` as a process: reading, hold-out, evaluation, refit, writing."""
    program = [sys.executable, "-m", "app.cli"]
    times = []
    with tempfile.TemporaryDirectory() as scratch:
        place = ["--data-dir", scratch]
        subprocess.run([*program, "import", str(data), *place], check=True, capture_output=True)
        for _ in range(runs):
            started = perf_counter()
            subprocess.run([*program, "train", *place], check=True, capture_output=True)
            times.append(perf_counter() - started)
    return times


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, default=LATEST_SMALL, help="folder or zip")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if given.data == LATEST_SMALL and not given.data.exists():
        print("not measured: MovieLens' ml-latest-small is not here; say with --data where it is")
        return
    ratings = ratings_in(given.data)
    rows = rank(last_of_each_user(ratings), given.runs)
    command = time_command(given.data, given.runs)
    if given.json:
        document = {
            "machine": machine.describe(),
            "runs": given.runs,
            "ranking": [asdict(row) for row in rows],
            "train_command_seconds": command,
        }
        print(json.dumps(document, indent=2))
        return
    print(f"{ratings} · medians of {given.runs} runs · {machine.in_one_line()}\n")
    print("| programme | fit, s | NDCG@10 | 95 % |\n|---|---|---|---|")
    for row in rows:
        interval = f"{row.low:.3f} to {row.high:.3f}"
        print(f"| {row.name} | {row.fit_seconds:.2f} | {row.ndcg:.4f} | {interval} |")
    print(
        f"\n`projectionist train`, the whole process: {statistics.median(command):.2f} s "
        f"({min(command):.2f} to {max(command):.2f})"
    )


if __name__ == "__main__":
    main()
