"""The catalogue, and the lists that start from a movie."""

import asyncio
import logging
from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from app.api import cursors
from app.api.answering import answer, answer_to
from app.api.filters import allowed_by
from app.api.rooms import In, Now
from app.api.schemas import movies as schemas
from app.api.schemas.fields import (
    By,
    ByPopularity,
    Count,
    CursorText,
    FieldsText,
    FilterText,
    MovieIdPath,
    PageSize,
    SearchText,
)
from app.api.strict_route import StrictRoute
from app.api.versions import Reached
from app.api.wanted import chosen_fields
from app.problems import ProblemError
from app.serving import neighbours
from app.serving.shelf import OF_MOVIES
from app.store.errors import StoreError
from app.store.records import Movie

logger = logging.getLogger(__name__)

router = APIRouter(prefix="/v1/movies", tags=["movies"], route_class=StrictRoute)


@router.get("", response_model=schemas.Movies, dependencies=[Reached])
async def list_movies(
    rooms: In, q: SearchText = None, limit: PageSize = 50, cursor: CursorText = None
) -> Response:
    """List or search the catalogue: `q` finds titles by the beginnings of their words."""
    listed = f"movies q={q or ''}"
    after = cursors.decode(listed, cursor)
    # One more than asked for tells whether there is another page.
    found = await run_in_threadpool(rooms.store.movies, after, limit + 1, q)
    page = found[:limit]
    more = cursors.encode(listed, page[-1].movie_id) if len(found) > limit else None
    return answer({"movies": [_record(movie) for movie in page], "next_cursor": more})


@router.get("/popular", response_model=schemas.PopularMovies, dependencies=[Reached])
async def list_popular_movies(
    request: Request,
    serving: Now,
    n: Count = 10,
    filter: FilterText = None,  # noqa: A002 - the name of the parameter
    by: ByPopularity = "count",
    fields: FieldsText = None,
) -> Response:
    """List the movies with the most ratings: of all time, or of late."""
    allowed = await allowed_by(serving, filter, "query.filter")
    chosen = chosen_fields(fields, (*OF_MOVIES, "n_ratings", *(["trend"] if by == "trend" else [])))
    if by == "count":
        return answer_to(request, neighbours.popular(serving, n, allowed, by, chosen))
    listed = await run_in_threadpool(neighbours.popular, serving, n, allowed, by, chosen)
    return answer_to(request, listed)


@router.get("/{movie_id}", response_model=schemas.Movie, dependencies=[Reached])
async def get_movie(movie_id: MovieIdPath, request: Request, rooms: In) -> Response:
    """Return a movie of the catalogue."""
    movie = rooms.current.catalogue.get(movie_id)
    if movie is None:
        raise ProblemError("unknown-movie")
    return answer_to(request, _record(movie))


@router.put(
    "/{movie_id}",
    response_model=schemas.Movie,
    responses={201: {"model": schemas.Movie, "description": "It is new in the catalogue."}},
)
async def put_movie(movie_id: MovieIdPath, body: schemas.MovieBody, rooms: In) -> Response:
    """Store a movie, in place of what stood under its id."""
    movie = Movie(
        movie_id=movie_id,
        title=body.title,
        year=body.year,
        genres=tuple(body.genres),
        available=body.available,
        attributes=body.attributes,
    )
    created = await asyncio.wrap_future(rooms.store.put_movie(movie))
    rooms.current.put_movie(movie)
    return answer(_record(movie), 201 if created else 200)


@router.delete("/{movie_id}", status_code=204)
async def delete_movie(movie_id: MovieIdPath, rooms: In) -> Response:
    """Delete a movie and its ratings. To keep the ratings, set `available` to false instead."""
    deleted = await asyncio.wrap_future(rooms.store.delete_movie(movie_id))
    if not deleted:
        raise ProblemError("unknown-movie")
    rooms.current.remove_movie(movie_id)
    try:
        await rooms.loader.catch_up()  # the ratings that went with it
    except StoreError:  # the deletion is durable all the same, and the loader will look again
        logger.warning("the ratings of a deleted movie will be forgotten later", exc_info=True)
    return Response(status_code=204)


@router.get("/{movie_id}/similar", response_model=schemas.SimilarMovies, dependencies=[Reached])
async def list_similar_movies(
    movie_id: MovieIdPath,
    request: Request,
    rooms: In,
    serving: Now,
    n: Count = 10,
    filter: FilterText = None,  # noqa: A002 - the name of the parameter
    by: By = "cosine",
    fields: FieldsText = None,
) -> Response:
    """List the movies whose embeddings are nearest, by cosine or by dot product."""
    if movie_id not in rooms.current.catalogue:
        raise ProblemError("unknown-movie")
    allowed = await allowed_by(serving, filter, "query.filter")
    chosen = chosen_fields(fields, (*OF_MOVIES, "score"))
    return answer_to(request, neighbours.similar_movies(serving, movie_id, n, allowed, by, chosen))


def _record(movie: Movie) -> dict[str, Any]:
    return {
        "movie_id": movie.movie_id,
        "title": movie.title,
        "year": movie.year,
        "genres": movie.genres,
        "available": movie.available,
        "attributes": movie.attributes,
    }
