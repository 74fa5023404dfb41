"""What a training has learned of attributes, as arrays of its generation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recommender.attributes import LearnedAttributes
from recommender.errors import InvalidInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recommender.models.factor_model import FactorModel

PREFIX = "attributes."


def open_attributes(
    arrays: dict[str, NDArray[Any]], ranking: FactorModel, stars: FactorModel | None
) -> LearnedAttributes | None:
    """Take them out of the arrays of a generation; ``None`` when it was trained without.

    Raises
    ------
    InvalidInputError, KeyError
        When they are damaged, or of other models.
    """
    own = {
        name.removeprefix(PREFIX): array
        for name, array in arrays.items()
        if name.startswith(PREFIX)
    }
    if not own:
        return None
    learned = LearnedAttributes.from_arrays(own)
    check_fits(learned, ranking, stars)
    return learned


def check_fits(learned: LearnedAttributes, ranking: FactorModel, stars: FactorModel | None) -> None:
    """Refuse what was learned of vectors of another length, or of another number of models.

    Raises
    ------
    InvalidInputError
        With what was found.
    """
    for name, own, model in (
        ("ranking", learned.ranking, ranking),
        ("stars", learned.stars, stars),
    ):
        wanted = None if model is None else model.n_factors + 1
        found = None if own is None else own.table.shape[1]
        if wanted != found:
            raise InvalidInputError(
                f"{PREFIX}{name} must have {wanted or 'no'} columns, the factors and a bias; "
                f"found {found or 'none'}"
            )
