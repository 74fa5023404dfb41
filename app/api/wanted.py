"""How lists are asked for: the same in an address and in a body."""

from dataclasses import replace
from typing import Annotated

from fastapi import Depends, Query

from app.api import cursors
from app.api.filters import allowed_by
from app.api.rooms import In, Now
from app.api.schemas.fields import (
    CALIBRATION_HELP,
    DIVERSITY_HELP,
    NOVELTY_HELP,
    Count,
    FieldsText,
    FilterText,
    Weight,
)
from app.api.schemas.lists import FIELDS, ListBody, PlainListBody
from app.limits import LIMITS
from app.problems import invalid
from app.serving.current import Serving
from app.serving.wanted import Wanted
from recommender.data.rating_scale import RatingScale
from recommender.reranking import Weights

ExcludeSeen = Annotated[bool, Query(description="Leave out what the user has rated.")]
Explain = Annotated[bool, Query(description="Say which ratings speak for each movie.")]
Diversity = Annotated[Weight, Query(description=DIVERSITY_HELP)]
Novelty = Annotated[Weight, Query(description=NOVELTY_HELP)]
Calibration = Annotated[Weight, Query(description=CALIBRATION_HELP)]


async def _from_query(
    rooms: In,
    serving: Now,
    n: Count = 10,
    exclude_seen: ExcludeSeen = True,
    explain: Explain = False,
    filter: FilterText = None,  # noqa: A002 - the name of the parameter
    diversity: Diversity = 0.0,
    novelty: Novelty = 0.0,
    calibration: Calibration = 0.0,
    fields: FieldsText = None,
) -> Wanted:
    chosen = chosen_fields(fields, FIELDS)
    return Wanted(
        n,
        exclude_seen,
        explain or (chosen is not None and "because" in chosen),
        rooms.settings.scale,
        filter,
        await allowed_by(serving, filter, "query.filter"),
        Weights(diversity, novelty, calibration),
        chosen,
    )


WantedList = Annotated[Wanted, Depends(_from_query)]
"""A parameter of a route: how the list is asked for in the address."""


async def _whole_from_query(
    rooms: In,
    serving: Now,
    n: Count = 10,
    exclude_seen: ExcludeSeen = True,
    explain: Explain = False,
    filter: FilterText = None,  # noqa: A002 - the name of the parameter
    diversity: Diversity = 0.0,
    novelty: Novelty = 0.0,
    calibration: Calibration = 0.0,
) -> Wanted:
    return await _from_query(
        rooms, serving, n, exclude_seen, explain, filter, diversity, novelty, calibration
    )


WholeList = Annotated[Wanted, Depends(_whole_from_query)]
"""The same where movies are told of in one way only, without ``fields``."""


async def from_body(serving: Serving, scale: RatingScale, body: ListBody) -> Wanted:
    """Return what a body asks for."""
    plain = await plain_from_body(serving, scale, body, FIELDS, body.explain)
    return replace(plain, weights=Weights(body.diversity, body.novelty, body.calibration))


async def plain_from_body(
    serving: Serving,
    scale: RatingScale,
    body: PlainListBody,
    fields: tuple[str, ...],
    explain: bool = False,
) -> Wanted:
    """Return what a body asks for, where a list is not reranked; ``fields`` may be told."""
    chosen = None if body.fields is None else _choose(body.fields, fields, "body.fields")
    return Wanted(
        body.n,
        body.exclude_seen,
        explain or (chosen is not None and "because" in chosen),
        scale,
        body.filter,
        await allowed_by(serving, body.filter, "body.filter"),
        fields=chosen,
    )


def chosen_fields(fields: str | None, allowed: tuple[str, ...]) -> tuple[str, ...] | None:
    """Return what the parameter ``fields`` asks for: the id of a movie, and what it names.

    Raises
    ------
    ProblemError
        When a name is not allowed.
    """
    return None if fields is None else _choose(fields.split(","), allowed, "query.fields")


def _choose(names: list[str], allowed: tuple[str, ...], where: str) -> tuple[str, ...]:
    if not set(names) <= set(allowed):
        raise invalid(where, "unknown_field", f"allowed: {', '.join(allowed)}")
    return ("movie_id", *(name for name in allowed[1:] if name in names))


def continued(
    wanted: Wanted, whose: str, serving: Serving, cursor: str | None, where: str
) -> Wanted:
    """Let a list go on behind the page that a cursor ended.

    Raises
    ------
    ProblemError
        When the cursor is none of this list, or when the list is reranked.
    """
    if cursor is None:
        return wanted
    if wanted.weights.any:
        raise invalid(
            where,
            "reranked",
            "a list with diversity, novelty or calibration is one whole and has no pages; "
            f"ask for a larger n, up to {LIMITS.n}",
        )
    after = cursors.decode_position(list_name(wanted, whose), serving, cursor)
    return replace(wanted, after=after)


def list_name(wanted: Wanted, whose: str) -> str:
    """Name a list by all that selects and orders its movies."""
    return f"recommendations {whose} {wanted.exclude_seen} {wanted.expression or ''}"
