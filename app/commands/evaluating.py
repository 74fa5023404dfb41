"""``projectionist evaluate``: run a published experiment on plain files."""

from __future__ import annotations

import re
import sys
import tomllib
from datetime import UTC, datetime
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands.delivering import Heard, check_place, deliver
from app.commands.model_options import EVERY_OPTION, options_in, with_model_options
from app.commands.reporting import Reporter
from app.process_memory import peak_memory
from recommender import Ratings
from recommender.errors import InvalidOptionError
from recommender.evaluation.experiment import PROTOCOLS, Experiment, FoldFiles
from recommender.evaluation.report_table import table_of
from recommender.evaluation.running import run_experiment
from recommender.models.by_name import MODELS
from recommender.training import recipe_for
from recommender.tuning.options_file import read_options

if TYPE_CHECKING:
    from recommender.evaluation.report import Report

_CSV = "a CSV file with a header user,item,rating[,timestamp] or MovieLens' own"
_PROTOCOLS = "; ".join(f"{kind.name} ({kind.meaning})" for kind in PROTOCOLS.values())


def _whole(text: str | int) -> int:
    """Read a whole number as people write it; Python takes 1_0 for 10."""
    if not re.fullmatch(r"[+-]?[0-9]{1,99}", str(text).strip()):
        raise typer.BadParameter(f"{text!r} is not a whole number")
    return int(text)


def _number(text: str | float) -> float:
    try:
        return float("none" if "_" in str(text) else text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a number") from None


def _defaults(model: str, train: Ratings) -> dict[str, Any]:
    """Return what ``projectionist train`` would take for ratings of this size."""
    return options_in(recipe_for(train), model)


@with_model_options({name: EVERY_OPTION[name] for name in EVERY_OPTION if name != "seed"})
def evaluate(
    given: dict[str, Any],
    train: Annotated[
        list[Path],
        typer.Option(
            help=f"What to train on: {_CSV}. Ranking does without the rating. Several folds: "
            "--train and --test again for each.",
            metavar="FILE",
        ),
    ],
    test: Annotated[
        list[Path],
        typer.Option(help="What to be judged by, in the same form.", metavar="FILE"),
    ],
    protocol: Annotated[
        str | None,
        typer.Option(
            help=f"{_PROTOCOLS}; that of --options when not given.",
            metavar="NAME",
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            help=f"{', '.join(MODELS)}; that of --options when not given.", metavar="NAME"
        ),
    ] = None,
    options: Annotated[
        Path | None,
        typer.Option(
            help="A file of options, as tune writes it; what is given here goes before it.",
            metavar="FILE",
        ),
    ] = None,
    negatives: Annotated[
        list[Path] | None,
        typer.Option(
            help="For leave-one-out: a CSV file user,item of what each user's test items are "
            "ranked among; one for each fold.",
            metavar="FILE",
        ),
    ] = None,
    sampled_negatives: Annotated[
        int | None,
        typer.Option(
            help="Instead: how many are drawn for each user among the items of the training that "
            "the user has rated in neither part.",
            metavar="N",
            parser=_whole,
        ),
    ] = None,
    fold_in: Annotated[
        list[Path] | None,
        typer.Option(
            help="For strong-generalization: what is known of the test's users; one for each fold.",
            metavar="FILE",
        ),
    ] = None,
    k: Annotated[
        str | None,
        typer.Option(
            "--k",
            help="How many places of each list count, such as 10,20,50; what is usual for the "
            "protocol when not given.",
            metavar="K,K,…",
        ),
    ] = None,
    relevant_from: Annotated[
        float | None,
        typer.Option(
            help="Only test ratings of at least so many stars are relevant.",
            metavar="STARS",
            parser=_number,
        ),
    ] = None,
    timestamps: Annotated[
        bool,
        typer.Option(
            help="Let models look at when ratings were given, those of the test included; "
            "bayesian-mf does."
        ),
    ] = True,
    seed: Annotated[
        int | None,
        typer.Option(
            help="Where chance begins: the random start of a model, and negatives that are drawn. "
            "[default: 0]",
            metavar="N",
            parser=_whole,
        ),
    ] = None,
    seeds: Annotated[
        int,
        typer.Option(
            help="How many seeds, from --seed on: the mean and the spread are shown.",
            metavar="N",
            parser=_whole,
        ),
    ] = 1,
    output: Annotated[
        Path | None, typer.Option(help="Write the JSON document there as well.", metavar="FILE")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace the output if it exists.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Train on a file, and judge by another: a published protocol, with intervals over users.

    Nothing is stored. Repeated rows, unknown users and items and all else that is dropped or falls
    back is counted in the report. Options of implicit-als and biased-als that are not said are
    those that `projectionist train` would take for ratings of this size.
    """
    reporter = Reporter(json)
    started = datetime.now(UTC)
    name, of_model = _model(model, options, given)
    experiment = Experiment(
        _protocol(protocol, options),
        name,
        _folds(train, test, negatives, fold_in),
        of_model,
        partial(_defaults, name),
        seeds,
        () if k is None else _places(k),
        relevant_from,
        sampled_negatives,
        timestamps,
        seed,
    )
    check_place(output, force)
    try:
        report = _run(experiment, reporter)
    except KeyboardInterrupt:
        if sys.stderr is not None:
            sys.stderr.write("projectionist: stopped\n")
        raise typer.Exit(130) from None
    document = report.document() | {
        "started": started.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "peak_memory_bytes": peak_memory(),
    }
    memory = f"{document['peak_memory_bytes'] / 2**20:,.0f} MiB at the peak"
    deliver(reporter, document, f"{table_of(report)}\n\n{memory}", output)


def _run(experiment: Experiment, reporter: Reporter) -> Report:
    report = None
    try:
        with reporter.progress() as step:
            report = run_experiment(experiment, Heard(step, reporter), peak_memory)
    except OSError:  # the terminal has gone while the bars were put away
        if report is None:
            raise
    return report


def _protocol(name: str | None, file: Path | None) -> str:
    """Return which protocol: as given, else as `tune` noted in its file of options."""
    if name is not None:
        return name
    found: Any = None
    if file is not None:
        found = tomllib.loads(file.read_text(encoding="utf-8")).get("found")
    noted = found.get("protocol") if isinstance(found, dict) else None
    if isinstance(noted, str) and noted in PROTOCOLS:
        return noted
    said = "" if file is None else f"; {file} names none of them under [found]"
    raise InvalidOptionError(f"say which --protocol: {', '.join(PROTOCOLS)}{said}")


def _model(
    name: str | None, file: Path | None, given: dict[str, Any]
) -> tuple[str, dict[str, Any]]:
    """Return which model, with its options from the file and from the command line."""
    if file is None:
        if name is None:
            raise InvalidOptionError(f"say which --model: {', '.join(MODELS)}")
        return name, given
    of_file, options = read_options(file)
    if name not in (None, of_file):
        raise InvalidOptionError(f"{file} has options of {of_file}, not of {name}")
    return of_file, options | given


def _folds(
    train: list[Path], test: list[Path], negatives: list[Path] | None, fold_in: list[Path] | None
) -> tuple[FoldFiles, ...]:
    """Bring the files of each fold together."""
    for flag, files in (("--test", test), ("--negatives", negatives), ("--fold-in", fold_in)):
        if files and len(files) != len(train):
            raise InvalidOptionError(
                f"each fold needs a file of its own: found --train {len(train)} times and "
                f"{flag} {len(files)} times"
            )
    folds = zip_longest(train, test, negatives or [], fold_in or [])
    return tuple(FoldFiles(*files) for files in folds)


def _places(text: str) -> tuple[int, ...]:
    """Read ``10,20,50``."""
    parts = [part.strip() for part in text.split(",")]
    if not all(re.fullmatch(r"-?[0-9]{1,99}", part) for part in parts):
        raise InvalidOptionError(
            f"k must be whole numbers of at least 1, with commas between, such as 10,20,50; "
            f"found {text!r}"
        )
    return tuple(map(int, parts))
