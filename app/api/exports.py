"""Exports: a whole table as one file, of one moment."""

import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import IO, Annotated, Literal

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from app.api.rooms import In
from app.api.strict_route import StrictRoute
from app.exporting.writing import MEDIA_TYPES, Format, write
from app.settings import Settings
from app.store import Store

router = APIRouter(prefix="/v1/exports", tags=["imports and exports"], route_class=StrictRoute)

PIECE = 256 * 1024


@router.get(
    "/{kind}",
    response_class=Response,
    responses={
        200: {
            "description": "The file.",
            "content": {
                kind.partition(";")[0]: {"schema": {"type": "string", "format": "binary"}}
                for kind in MEDIA_TYPES.values()
            },
        }
    },
)
async def export(
    kind: Literal["ratings", "movies", "users"],
    rooms: In,
    format: Annotated[  # noqa: A002 - the name of the parameter
        Literal["csv", "ndjson", "parquet"], Query(description="What to write.")
    ] = "csv",
) -> Response:
    """Send all live ratings, all movies or all users as a file that can be imported again.

    It is of one moment, whatever is stored meanwhile. In CSV a text that begins with `= + - @` has
    a `'` before it, which an import takes off again.
    """
    stream = await run_in_threadpool(_written, rooms.store, rooms.settings, kind, format)
    size = os.fstat(stream.fileno()).st_size
    headers = {
        "Content-Length": str(size),
        "Content-Disposition": f'attachment; filename="{kind}.{format}"',
    }
    return StreamingResponse(_pieces(stream), 200, headers, MEDIA_TYPES[format])


def _written(
    store: Store, settings: Settings, kind: Literal["ratings", "movies", "users"], form: Format
) -> IO[bytes]:
    """Return an open file without a name that holds the export.

    It goes to disk first: a client that reads slowly would otherwise keep a transaction open, and
    the log of the database from being cut.
    """
    folder = settings.data_dir / "exports"
    folder.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".exporting-", dir=folder)
    stream = os.fdopen(handle, "w+b")
    try:
        with Path(name).open("r+b") as writing:
            frames = store.export(kind)
            write(frames, form, writing)
    except BaseException:
        stream.close()
        raise
    finally:
        Path(name).unlink(missing_ok=True)
    return stream


async def _pieces(stream: IO[bytes]) -> AsyncIterator[bytes]:
    try:
        while piece := await run_in_threadpool(stream.read, PIECE):
            yield piece
    finally:
        stream.close()
