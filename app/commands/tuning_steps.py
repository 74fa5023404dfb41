"""What ``projectionist tune`` says on the way, when it is stopped, and in the end."""

from __future__ import annotations

from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from app.commands.reporting import Reporter, Steps
    from recommender.tuning import BestFile, Budget, Dimension, Exam, Findings, Tunable


class TuningSteps:
    """Tells how far a search is, and has whatever is the best so far written."""

    file: BestFile
    metric: str
    step: Steps

    def __init__(
        self, reporter: Reporter, budget: Budget, target: Path, study: Path | None
    ) -> None:
        self.reporter, self.budget, self.target, self.study = reporter, budget, target, study
        self.started = perf_counter()
        self.found: Findings | None = None
        self.before: Findings | None = None
        self.has_begun = False

    @contextmanager
    def told_when_stopped(self) -> Iterator[None]:
        """Say what there is when Ctrl+C or the disk ends the search; what was found is not lost."""
        try:
            yield
        except KeyboardInterrupt:
            self._stopped()
            raise typer.Exit(130) from None
        except OSError:
            if self.found is not None:
                self.reporter.say(f"The best so far: {options_in_words(self.found)}")
            raise

    @contextmanager
    def shown(self, file: BestFile, exam: Exam) -> Iterator[None]:
        """Show the steps of the search that runs inside the block."""
        self.file, self.metric = file, exam.metric
        with self.reporter.progress() as self.step:
            yield

    def __call__(self, found: Findings | None, seconds: float) -> None:
        """Show one more trial; the file on disk is the best one even if we are killed."""
        if not self.has_begun:
            self.file.go_on(found)
            self.before, self.has_begun = found, True
        last, self.found = self.found, found
        if found is not None and (last is None or last.best.number != found.best.number):
            self.file.write(found)
        self._show(found, seconds)

    def end(self) -> None:
        """Show that it is over, and write how many trials it took in the end."""
        self._show(self.found, 60 * (self.budget.minutes or 0.0))
        if self.found is not None:
            self.file.write(self.found)

    def _show(self, found: Findings | None, seconds: float) -> None:
        done = 0 if found is None else len(found.trials)
        best = "" if found is None else f"best {self.metric} {found.best.score:.4f}"
        if self.budget.minutes is None and self.budget.trials is not None:
            self.step("trials", min(done, self.budget.trials), self.budget.trials, best)
            return
        whole = round(60 * (self.budget.minutes or 0.0)) or 1
        note = f"{_trials(done)}, {best}" if best else ""
        self.step("seconds", min(round(seconds), whole), whole, note)

    def _stopped(self) -> None:
        if self.found is None:
            self.reporter.say("projectionist: stopped before the first trial was done")
            return
        self.file.write(self.found)
        how = (
            "the next search begins anew, unless both have --study FILE"
            if self.study is None
            else f"go on with --study {self.study}"
        )
        self.reporter.say(
            f"projectionist: stopped after {_trials(len(self.found.trials))}; the best so far is "
            f"in {self.target}; {how}"
        )

    def effort(self) -> dict[str, float | int]:
        """Return what this run took, how many trials earlier ones had made, and what all took."""
        every = () if self.found is None else self.found.trials
        return {
            "seconds": round(perf_counter() - self.started, 3),
            "trials_before": 0 if self.before is None else len(self.before.trials),
            "trial_seconds": round(sum(trial.seconds for trial in every), 3),
        }


def ranges_in_words(tuned: Tunable) -> str:
    """Say what is searched."""
    if not tuned.dimensions:
        return "Nothing is left to search but the number of epochs."
    return f"Searching {', '.join(map(in_range, tuned.dimensions))}."


def in_range(dimension: Dimension) -> str:
    """Say what is searched of one option."""
    if dimension.choices:
        return f"{dimension.name} {' or '.join(map(str, dimension.choices))}"
    return f"{dimension.name} {dimension.low:g} to {dimension.high:g}"


def options_in_words(found: Findings) -> str:
    """Say what the best options are."""
    return ", ".join(f"{name} {value}" for name, value in found.best.options.items())


def edges_in_words(found: Findings, tuned: Tunable, study: Path | None) -> list[str]:
    """Say of each option whose best value lies at the end of its range that it does."""
    lines = []
    for dimension, end in tuned.edges(found.best.place).items():
        name, value = dimension.name, found.best.place[dimension.name]
        at = "" if found.best.options[name] == value else " (before it is scaled)"
        line = f"{name} {value:.4g}{at} is at the edge of {dimension.low:g} to {dimension.high:g}"
        if name == "factors":
            low, high = _wider(tuned, dimension, end)
            other = "" if study is None else " and another --study"
            line += f"; widen it with --factors {low}-{high}{other}"
        lines.append(f"{line}.")
    return lines


def _wider(tuned: Tunable, dimension: Dimension, end: float) -> tuple[int, int]:
    """Return a range that goes beyond one end, as far as the model goes."""
    option = tuned.model.option(dimension.name)
    least, most = int(option.minimum or 1), int(option.maximum or 2 * dimension.high)
    low, high = int(dimension.low), int(dimension.high)
    if end == dimension.high:
        return max(low, high // 4), min(2 * high, most)
    return max(low // 2, least), min(4 * low, high)


def in_words(
    found: Findings, metric: str, tuned: Tunable, target: Path, study: Path | None, took: Any
) -> str:
    """Return what people are told in the end."""
    done, new = len(found.trials), len(found.trials) - took["trials_before"]
    ended = [f"{n} {state}" for state in ("pruned", "failed") if (n := found.count(state))]
    tried = _trials(done) + (f" ({', '.join(ended)})" if ended else "")
    if new == done:
        tried += f" in {took['seconds']:.1f} s"
    else:
        tried += (
            f", {new} of them in this run, which took {took['seconds']:.1f} s; "
            f"all took {took['trial_seconds']:.1f} s"
        )
    first = "failed" if found.first.score is None else f"{found.first.score:.4f}"
    lines = [
        f"{tried}: {metric} {found.best.score:.4f}, with the defaults {first}.",
        options_in_words(found),
        *edges_in_words(found, tuned, study),
    ]
    if not new:
        lines.append(
            "Nothing new was tried: --trials and --minutes count earlier runs of the study; "
            "ask for more of them to go on."
        )
    return "\n".join([*lines, f"Written to {target}."])


def _trials(number: int) -> str:
    return f"{number} {'trial' if number == 1 else 'trials'}"
