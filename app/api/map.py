"""The map: users and movies in one plane, as a page draws them.

``model`` is ``current`` (what is served now; the default) or ``course`` (the bundled teaching
example, there even before any training). An answer is made once for each generation, in a thread
of its own, and then sent as the bytes it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request  # noqa: TC002 - FastAPI reads the annotation
from starlette.responses import Response

from app.api.answering import knows
from app.api.rooms import rooms
from app.api.schemas.map import MapMatrix, MapMeta, MapMovies, MapUserIds
from app.api.strict_route import StrictRoute
from app.mapping.drawing import draw, list_world, tabulate
from app.mapping.world import (
    MATRIX_CELLS,
    ModelName,
    Projection,
    course_world,
    generation_version,
    generation_world,
)
from app.problems import ProblemError, invalid

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.mapping.drawing import Encoded, Lists, Picture
    from app.mapping.once import Once
    from app.mapping.world import World

router = APIRouter(prefix="/v1/map", tags=["map"], route_class=StrictRoute)

BINARY = "application/octet-stream"
_REVALIDATE = "private, no-cache"
_IMMUTABLE = "private, max-age=31536000, immutable"

ModelQuery = Annotated[
    ModelName, Query(description="`current`: the model that is served; `course`: the example.")
]
ProjectionQuery = Annotated[
    Projection | None,
    Query(
        description="`scores`: the plane that keeps most of the score differences within users; "
        "`raw`: the first two factors as they are. Default: `raw` for the course, else `scores`."
    ),
]
VersionQuery = Annotated[
    str | None,
    Query(
        max_length=64,
        description="The version of a meta answer: get that one or a 404, never a mixture.",
    ),
]


@dataclass(frozen=True, eq=False)
class Source:
    """The model of a request: its version is known at once, the rest is made on demand."""

    version: str
    default: Projection
    make: Callable[[], World]
    once: Once
    model: ModelName

    async def picture(self, projection: Projection) -> Picture:
        """Return one projection of the world."""
        return await self.once.get(
            f"{self.model} {projection}", self.version, lambda: draw(self.make(), projection)
        )

    async def lists(self) -> Lists:
        """Return ids and titles."""
        return await self.once.get(
            f"{self.model} lists", self.version, lambda: list_world(self.make())
        )

    async def matrix(self) -> Encoded | tuple[int, int]:
        """Return the table, or how many users and movies there are when these are too many."""

        def make() -> Encoded | tuple[int, int]:
            world = self.make()
            return tabulate(world) if world.small else (len(world.user_ids), len(world.movie_ids))

        return await self.once.get(f"{self.model} matrix", self.version, make)


async def source(request: Request, model: ModelName, version: str | None) -> Source:
    """Return the model that a request asks for.

    Raises
    ------
    ProblemError
        ``no-model`` when nothing is trained yet, ``unknown-model`` for a version that is gone.
    """
    room = await rooms(request)
    once = room.maps
    if model == "course":
        world = await once.get("course world", "", course_world)
        found = Source(world.version, "raw", lambda: world, once, model)
    else:
        serving = room.current.take()
        generation = serving.generation
        shelf = serving.shelf.movies[: serving.n_items]
        # Generation and catalogue change in this thread alone, so these two name one shelf.
        hidden = frozenset(serving.erased.rows)
        if len(hidden) == len(generation.ranking.users):
            raise ProblemError("no-model", "Everybody whom the model knows was erased: train anew.")
        known = f"{generation.number} {room.current.catalogue.revision} {len(hidden)}"
        token = await once.get(
            "version", known, lambda: generation_version(generation, shelf, hidden)
        )

        def make() -> World:
            notice = room.store.get_fact("notice")
            return generation_world(generation, shelf, token, notice, hidden)

        found = Source(token, "scores", make, once, model)
    if version is not None and version != found.version:
        raise ProblemError(
            "unknown-model",
            "The map of that version is not served any more. Read /v1/map/meta again.",
        )
    return found


@router.get("/meta", response_model=MapMeta)
async def meta(
    request: Request,
    model: ModelQuery = "current",
    projection: ProjectionQuery = None,
    version: VersionQuery = None,
) -> Response:
    """Return what there is to know of a picture but its points: bounds, fidelity, words."""
    of = await source(request, model, version)
    picture = await of.picture(projection or of.default)
    return _answer(request, picture.meta, "application/json", _REVALIDATE)


@router.get(
    "/points",
    response_class=Response,
    responses={200: {"content": {BINARY: {"schema": {"type": "string", "format": "binary"}}}}},
)
async def points(
    request: Request,
    model: ModelQuery = "current",
    projection: ProjectionQuery = None,
    version: VersionQuery = None,
) -> Response:
    """Return the coordinates as one binary buffer (magic MFMP; see app/mapping/points.py)."""
    of = await source(request, model, version)
    picture = await of.picture(projection or of.default)
    # Whoever names a version gets bytes that never change under this address.
    caching = _REVALIDATE if version is None else _IMMUTABLE
    return _answer(request, picture.points, BINARY, caching)


@router.get("/movies", response_model=MapMovies)
async def movies(
    request: Request, model: ModelQuery = "current", version: VersionQuery = None
) -> Response:
    """Return ids, titles, years and genres of the movies, in the order of the points."""
    of = await source(request, model, version)
    lists = await of.lists()
    return _answer(request, lists.movies, "application/json", _REVALIDATE)


@router.get("/user-ids", response_model=MapUserIds)
async def user_ids(
    request: Request, model: ModelQuery = "current", version: VersionQuery = None
) -> Response:
    """Return the ids of the users, in the order of the points."""
    of = await source(request, model, version)
    lists = await of.lists()
    return _answer(request, lists.user_ids, "application/json", _REVALIDATE)


@router.get("/matrix", response_model=MapMatrix)
async def matrix(
    request: Request, model: ModelQuery = "current", version: VersionQuery = None
) -> Response:
    """Return a small world in full: vectors, their products and what was observed."""
    of = await source(request, model, version)
    table = await of.matrix()
    if isinstance(table, tuple):
        users, films = table
        raise invalid(
            "query.model",
            "too_large",
            f"a table has at most {MATRIX_CELLS} cells; this model has {users} users times "
            f"{films} movies",
        )
    return _answer(request, table, "application/json", _REVALIDATE)


def _answer(request: Request, body: Encoded, media_type: str, caching: str) -> Response:
    """Return the body, or 304 when the client has it."""
    headers = {"ETag": body.etag, "Cache-Control": caching}
    if knows(request.headers.get("if-none-match", ""), body.etag):
        return Response(status_code=304, headers=headers)
    return Response(body.content, media_type=media_type, headers=headers)
