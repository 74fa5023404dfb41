"""How lists are asked for in a body, and what may be told of each movie."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from app.api.schemas.fields import (
    CALIBRATION_HELP,
    DIVERSITY_HELP,
    FIELDS_HELP,
    FILTER_HELP,
    NOVELTY_HELP,
    Schema,
    Weight,
)
from app.limits import LIMITS
from app.serving.shelf import OF_MOVIES
from app.serving.wanted import ADDED

FIELDS = (*OF_MOVIES, *ADDED)
"""What may be asked for of each movie of a list."""

BodyFields = Annotated[list[str] | None, Field(max_length=20, description=FIELDS_HELP)]


class PlainListBody(Schema):
    """How a list is asked for in a body, where it has neither reasons nor reranking."""

    n: Annotated[int, Field(ge=1, le=LIMITS.n)] = 10
    exclude_seen: bool = True
    filter: Annotated[
        str | None, Field(max_length=LIMITS.filter_length, description=FILTER_HELP)
    ] = None
    fields: BodyFields = None


class ListBody(PlainListBody):
    """How a list is asked for in a body."""

    explain: bool = False
    diversity: Annotated[Weight, Field(description=DIVERSITY_HELP)] = 0.0
    novelty: Annotated[Weight, Field(description=NOVELTY_HELP)] = 0.0
    calibration: Annotated[Weight, Field(description=CALIBRATION_HELP)] = 0.0
