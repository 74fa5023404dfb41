"""Opening a generation: nothing is believed before it is checked."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from recommender.arrays import SparseRows
from recommender.data.ratings import Ratings
from recommender.data.vocabulary import Vocabulary
from recommender.errors import (
    DamagedGenerationError,
    GenerationNotFoundError,
    InvalidInputError,
)
from recommender.generations.learned_attributes import open_attributes
from recommender.generations.manifest import FILE_NAME, Manifest, manifest_of, read_document
from recommender.generations.npy import open_array
from recommender.generations.published import DIRECTORY_NAME, current_number, generation_path
from recommender.models.factor_model import FactorModel
from recommender.models.objective import GaussianObjective, from_json
from recommender.models.uncertainty import Uncertainty
from recommender.trending import Trend

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recommender.attributes import LearnedAttributes


@dataclass(frozen=True, eq=False)
class Generation:
    """One published model: what ranks and what predicts stars, of the same users and items.

    ``attributes`` gives vectors to items that nobody has rated; ``None`` when it was trained
    without, or by a version that did not know them.
    """

    ranking: FactorModel
    stars: FactorModel | None
    manifest: Manifest
    attributes: LearnedAttributes | None = None
    trend: Trend | None = None

    @property
    def number(self) -> int:
        """Its number, counted from 1."""
        return self.manifest.generation


def load_generation(path: Path | str, verify: bool = True) -> Generation:
    """Open a generation, memory-mapped and read-only.

    Parameters
    ----------
    path
        A models directory, of which the current generation is opened, or the folder of one.
    verify
        Whether to compare every array with its SHA-256, which reads it once. Sizes, shapes and
        types are always checked before anything is mapped, and factors for finiteness.

    Raises
    ------
    GenerationNotFoundError
        When there is none.
    DamagedGenerationError
        When it is truncated, altered, not finite, or not one of ours.
    IncompatibleGenerationError
        When it was written in another format.
    """
    folder = Path(path)
    if not (folder / FILE_NAME).exists() and not DIRECTORY_NAME.fullmatch(folder.name):
        number = current_number(folder)
        if number is None:
            raise GenerationNotFoundError(
                f"there is no current generation in {folder}; train one with `projectionist train`"
            )
        folder = generation_path(folder, number)
    if not folder.is_dir():
        raise GenerationNotFoundError(f"there is no generation at {folder}")
    document = read_document(folder)
    try:
        return _open(folder, document, verify)
    except (KeyError, TypeError, ValueError, AttributeError, OSError) as error:
        raise DamagedGenerationError(f"{folder}: {error}") from error


def open_users(folder: Path | str) -> Vocabulary:
    """Open the ids of the users of one generation and nothing else of it.

    Raises
    ------
    GenerationNotFoundError, DamagedGenerationError, IncompatibleGenerationError
        As :func:`load_generation`; hashes are not compared.
    """
    folder = Path(folder)
    document = read_document(folder)
    try:
        listed = {n: a for n, a in document["arrays"].items() if n.startswith("users.")}
        return Vocabulary.from_arrays(
            {
                name.split(".")[1]: open_array(folder / f"{_plain(name)}.npy", expected)
                for name, expected in listed.items()
            }
        )
    except (KeyError, TypeError, ValueError, AttributeError, OSError) as error:
        raise DamagedGenerationError(f"{folder}: {error}") from error


def _open(folder: Path, document: dict[str, Any], verify: bool) -> Generation:
    manifest = manifest_of(folder, document)
    named = DIRECTORY_NAME.fullmatch(folder.name)
    if named and int(named[1]) != manifest.generation:
        raise InvalidInputError(f"the manifest says it is generation {manifest.generation}")
    listed = document["arrays"]
    arrays = {
        name: open_array(folder / f"{_plain(name)}.npy", expected)
        for name, expected in listed.items()
    }
    if verify:
        for name, array in arrays.items():
            if (
                hashlib.sha256(np.ascontiguousarray(array).data).hexdigest()
                != listed[name]["sha256"]
            ):
                raise InvalidInputError(
                    f"{name}.npy was altered: its SHA-256 is not the manifest's"
                )
    ratings = _open_ratings(arrays)
    models = {
        name: _open_model(name, fields_of_model, arrays, ratings)
        for name, fields_of_model in document["models"].items()
    }
    ranking, stars = models["ranking"], models.get("stars")
    attributes = open_attributes(arrays, ranking, stars)
    trend = _open_trend(arrays, len(ratings.items))
    return Generation(ranking, stars, manifest, attributes, trend)


def _plain(name: str) -> str:
    if not re.fullmatch(r"[a-z_]+\.[a-z_]+", name):
        raise InvalidInputError(f"{name!r} is no name of an array")
    return name


def _open_ratings(arrays: dict[str, NDArray[Any]]) -> Ratings:
    users, items = (
        Vocabulary.from_arrays(
            {name.split(".")[1]: a for name, a in arrays.items() if name.startswith(f"{side}.")}
        )
        for side in ("users", "items")
    )
    indptr, indices = arrays["ratings.indptr"], arrays["ratings.indices"]
    codes, levels = arrays["ratings.codes"], arrays["ratings.levels"]
    fits = (
        all(array.ndim == 1 for array in (indptr, indices, codes, levels))
        and indptr.dtype == np.int64
        and indices.dtype in (np.uint16, np.int32)
        and codes.dtype in (np.uint8, np.uint16, np.uint32)
        and levels.dtype == np.float32
        and len(indptr) == len(users) + 1
        and indptr[0] == 0
        and indptr[-1] == len(indices) == len(codes)
        and bool((np.diff(indptr) >= 0).all())
        and (len(indices) == 0 or (indices.min() >= 0 and indices.max() < len(items)))
        and (len(codes) == 0 or codes.max() < len(levels))
        and bool(np.isfinite(levels).all() and (levels[1:] > levels[:-1]).all())
    )
    if not fits:
        raise InvalidInputError("the arrays of ratings do not fit together")
    return Ratings(users, items, SparseRows(indptr, indices, codes, levels, len(items)))


def _open_trend(arrays: dict[str, NDArray[Any]], n_items: int) -> Trend | None:
    if "trend.weights" not in arrays:
        return None
    trend = Trend.from_arrays({name: arrays[f"trend.{name}"] for name in ("weights", "times")})
    if len(trend.weights) != n_items:
        raise InvalidInputError(f"trend.weights must be of {n_items} items")
    return trend


def _open_model(
    name: str, described: dict[str, Any], arrays: dict[str, NDArray[Any]], ratings: Ratings
) -> FactorModel:
    parts = {
        array_name.split(".")[1]: array
        for array_name, array in arrays.items()
        if array_name.startswith(f"{name}.")
    }
    for part, array in parts.items():
        if not np.isfinite(array).all():
            raise InvalidInputError(f"{name}.{part} has numbers that are not finite")
    objective = from_json(described["objective"])
    global_bias = float(described["global_bias"])
    if not isfinite(global_bias):
        raise InvalidInputError(f"{name}'s global_bias must be a number; found {global_bias}")
    uncertainty = None
    if isinstance(objective, GaussianObjective):
        spread = parts["user_spread"], parts["item_spread"]
        if any((part < 0).any() for part in spread):
            raise InvalidInputError(f"{name}'s spread has numbers below 0")
        uncertainty = Uncertainty(objective.noise_variance, *spread)
    return FactorModel(
        parts["user_factors"],
        parts["item_factors"],
        ratings,
        objective,
        global_bias,
        parts.get("user_biases"),
        parts.get("item_biases"),
        uncertainty=uncertainty,
    )
