"""Writing a generation: whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from recommender.errors import InvalidInputError
from recommender.generations.learned_attributes import PREFIX, check_fits
from recommender.generations.manifest import ACCEPTED, REFUSED, Manifest, write_manifest
from recommender.generations.npy import write_array
from recommender.generations.published import directory_name, generation_numbers, sync_folder
from recommender.models.objective import to_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from recommender.attributes import LearnedAttributes
    from recommender.models.factor_model import FactorModel
    from recommender.trending import Trend


def write_generation(
    models_dir: Path | str,
    ranking: FactorModel,
    stars: FactorModel | None,
    *,
    watermark: int,
    metrics: Mapping[str, float],
    options: Mapping[str, Any],
    trained_at: str,
    parent: int | None = None,
    note: str | None = None,
    reason: str | None = None,
    tuned: bool = False,
    attributes: LearnedAttributes | None = None,
    trend: Trend | None = None,
) -> int:
    """Write a generation under the next free number; it is not current before :func:`publish`.

    Parameters
    ----------
    models_dir
        Where generations lie; it is made when it is not there.
    ranking, stars
        The models, of the same ratings.
    attributes
        What the training learned of attributes, where it was told of them.
    trend
        What was rated of late, where that is known.
    watermark, metrics, options, trained_at, parent, note, tuned
        As in :class:`Manifest`.
    reason
        Why it is refused; ``None`` for one that may serve.

    Returns
    -------
    Its number.

    Raises
    ------
    InvalidInputError
        When a factor is not finite: a model that cannot rank is not kept. When attributes were
        learned of other models.
    OSError
        When the disk refuses; nothing is left behind.
    """
    folder = Path(models_dir)
    folder.mkdir(parents=True, exist_ok=True)
    models = {"ranking": ranking} if stars is None else {"ranking": ranking, "stars": stars}
    arrays = _arrays(models)
    if attributes is not None:
        check_fits(attributes, ranking, stars)
        arrays |= {f"{PREFIX}{name}": array for name, array in attributes.arrays().items()}
    if trend is not None:
        arrays |= {f"trend.{name}": array for name, array in trend.arrays().items()}
    described = {
        name: {"objective": to_json(model.objective), "global_bias": model.global_bias}
        for name, model in models.items()
    }
    scratch = Path(tempfile.mkdtemp(prefix=".writing-", dir=folder))
    try:
        scratch.chmod(0o755)  # the trainer and the servers may be different users
        listed = {name: write_array(scratch / f"{name}.npy", a) for name, a in arrays.items()}
        while True:
            number = max(generation_numbers(folder), default=0) + 1
            manifest = Manifest(
                number, trained_at, watermark, dict(metrics), dict(options), parent, note,
                ACCEPTED if reason is None else REFUSED, reason, tuned,
            )  # fmt: skip
            write_manifest(scratch, manifest, described, listed)
            sync_folder(scratch)
            try:
                scratch.rename(folder / directory_name(number))
            except OSError:
                # Another trainer took the number in this moment: take the next one.
                if (folder / directory_name(number)).exists():
                    continue
                raise
            break
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise
    sync_folder(folder)
    return number


def _arrays(models: dict[str, FactorModel]) -> dict[str, NDArray[Any]]:
    ratings = models["ranking"].ratings
    arrays: dict[str, NDArray[Any]] = {
        "ratings.indptr": ratings.indptr,
        "ratings.indices": ratings.indices,
        "ratings.codes": ratings.by_user.codes,
        "ratings.levels": ratings.by_user.levels,
    }
    for side, vocabulary in (("users", ratings.users), ("items", ratings.items)):
        arrays |= {f"{side}.{name}": array for name, array in vocabulary.arrays().items()}
    for name, model in models.items():
        arrays |= {f"{name}.{part}": array for part, array in _parts(model).items()}
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise InvalidInputError(f"{name} has numbers that are not finite")
    return arrays


def _parts(model: FactorModel) -> dict[str, NDArray[Any]]:
    spread = model.uncertainty
    parts = {
        "user_factors": model.user_factors,
        "item_factors": model.item_factors,
        "user_biases": model.user_biases,
        "item_biases": model.item_biases,
        "user_spread": None if spread is None else spread.user_spread,
        "item_spread": None if spread is None else spread.item_spread,
    }
    return {name: array for name, array in parts.items() if array is not None}
