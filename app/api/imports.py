"""Imports: the file is the body; what becomes of it is asked for afterwards."""

from typing import IO, Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from app.api.answering import answer
from app.api.rooms import In
from app.api.schemas import imports as schemas
from app.api.schemas.fields import PageSize, format_time
from app.api.strict_route import StrictRoute
from app.importing.running import Wanted
from app.limits import MIB
from app.problems import ProblemError

router = APIRouter(prefix="/v1/imports", tags=["imports and exports"], route_class=StrictRoute)

_FORMATS = ("text/csv", "application/x-ndjson", "application/vnd.apache.parquet", "application/zip")
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}}
            for kind in (*_FORMATS, "application/octet-stream")
        },
    }
}


@router.post("", status_code=202, response_model=schemas.Import, openapi_extra=_BODY)
async def start_import(
    request: Request,
    rooms: In,
    format: Annotated[  # noqa: A002 - the name of the parameter
        Literal["csv", "ndjson", "parquet", "zip"] | None,
        Query(description="What the body is; found out from its beginning if not given."),
    ] = None,
    mode: Annotated[
        Literal["atomic", "skip"],
        Query(description="`atomic`: all or, if a row is bad, nothing; `skip`: all but bad rows."),
    ] = "atomic",
    kind: Annotated[
        Literal["ratings", "movies", "users"],
        Query(description="What the rows are; a zip archive has files of each kind."),
    ] = "ratings",
    dry_run: Annotated[bool, Query(description="Read and check, store nothing.")] = False,
) -> Response:
    """Take a file as the body and import it: CSV, NDJSON, Parquet, or a zip archive of MovieLens.

    The answer comes when the file is on disk; `Location` says where to ask how far it is. A server
    that is stopped goes on with it when it starts again.
    """
    with rooms.imports.place():
        import_id, stream = await run_in_threadpool(rooms.imports.receive)
        try:
            await _receive(request, stream)
            wanted = Wanted(mode, kind, format, dry_run)
            document = await run_in_threadpool(rooms.imports.submit, import_id, stream, wanted)
        except BaseException:
            rooms.imports.give_up(import_id, stream)
            raise
    response = answer(_told(document), 202)
    response.headers["Location"] = f"/v1/imports/{import_id}"
    return response


@router.get("", response_model=schemas.Imports)
async def list_imports(rooms: In, limit: PageSize = 50) -> Response:
    """List the newest imports, newest first."""
    found = await run_in_threadpool(rooms.imports.documents, limit)
    return answer({"imports": [_line(document) for document in found]})


@router.get("/{import_id}", response_model=schemas.Import)
async def get_import(
    import_id: Annotated[str, Path(min_length=1, max_length=64, pattern="^[a-z0-9-]+$")],
    rooms: In,
) -> Response:
    """Say how far an import is, and what was wrong with its rows."""
    document = await run_in_threadpool(rooms.imports.document, import_id)
    if document is None:
        raise ProblemError("unknown-import")
    return answer(await run_in_threadpool(_told, document))


async def _receive(request: Request, stream: IO[bytes]) -> None:
    """Write the body to the file, a MiB at a time, in a thread."""
    waiting = bytearray()
    try:
        async for piece in request.stream():
            waiting += piece
            if len(waiting) >= MIB:
                await run_in_threadpool(stream.write, bytes(waiting))
                waiting.clear()
        await run_in_threadpool(stream.write, bytes(waiting))
    except ClientDisconnect:
        raise ProblemError("request-timeout") from None
    except OSError as error:
        raise ProblemError("store-unavailable", "There is no room for the file here.") from error


def _told(document: dict[str, Any]) -> dict[str, Any]:
    report = document.get("report") or {}
    return {
        **_line(document),
        "reasons": [
            {"file": file, "column": column or None, "found": found, "count": count}
            for file, column, found, count in report.get("reasons", ())
        ],
        "errors": report.get("errors", []),
        "hints": report.get("hints", []),
    }


def _line(document: dict[str, Any]) -> dict[str, Any]:
    report = document.get("report") or {}
    times = {
        name: None if document.get(name) is None else format_time(document[name])
        for name in ("created_at", "started_at", "finished_at")
    }
    same = ("import_id", "state", "source", "kind", "mode", "dry_run")
    return {
        **{name: document[name] for name in same},
        **times,
        "phase": document.get("phase"),
        "progress": document.get("progress"),
        "rows": document.get("rows_now", report.get("rows", 0)),
        "bad": report.get("bad", 0),
        "stored": document.get("stored"),
        "reason": document.get("reason"),
    }
