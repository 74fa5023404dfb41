"""For whoever runs the server, and for the machines that watch it."""

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from app.api.answering import answer
from app.api.rooms import In, Rooms
from app.api.schemas import operations as schemas
from app.api.strict_route import StrictRoute
from app.problems import PROBLEMS, ProblemError
from app.store.errors import StoreError
from recommender.version import __version__

router = APIRouter(tags=["operations"], route_class=StrictRoute)


@router.get("/livez", response_model=schemas.Alive)
async def livez() -> Response:
    """Say that the process answers; nothing else is looked at."""
    return answer({"status": "ok"})


@router.get("/readyz", response_model=schemas.Ready)
async def readyz(rooms: In) -> Response:
    """Say whether recommendations can be given.

    They can without the database too: then `store` says that ratings cannot be stored.
    """
    serving = rooms.current.serving
    notes = _notes(rooms)
    if serving is None:
        raise ProblemError("no-model", " ".join(notes) or None)
    state = "ok"
    try:
        await run_in_threadpool(rooms.store.ping)
        if rooms.store.writer_state().problem is not None:
            state = "read-only"
    except StoreError:
        state = "unavailable"
    return answer({"status": "ready", "generation": serving.number, "store": state, "notes": notes})


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def metrics(request: Request) -> Response:
    """Return what is counted and measured, in the text format of Prometheus.

    Where there is a key it is needed here too: how much a site is used is not for everybody.
    """
    # A few milliseconds. Not in a thread: requests would wait for the interpreter all the same,
    # and what they count must not move meanwhile.
    content = generate_latest(request.app.state.registry)
    return Response(content, media_type=CONTENT_TYPE_PLAIN_0_0_4)


@router.get("/version", response_model=schemas.Version)
async def version(rooms: In) -> Response:
    """Say which program this is, and which model it serves."""
    serving = rooms.current.serving
    return answer(
        {
            "name": "projectionist",
            "version": __version__,
            "generation": serving.number if serving else None,
        }
    )


@router.get("/v1/datasets/notice", response_model=schemas.Notice, tags=["datasets"])
async def dataset_notice(rooms: In) -> Response:
    """Return what must be said wherever the data is shown, such as that it is simulated."""
    return answer({"notice": await run_in_threadpool(rooms.store.get_fact, "notice")})


@router.get("/problems/{name}", response_model=schemas.ProblemDescription)
async def describe_problem(name: str) -> Response:
    """Explain a problem: the `type` of every error is an address like this."""
    problem = PROBLEMS.get(name)
    if problem is None:
        raise ProblemError("not-found")
    return answer(
        {
            "type": f"/problems/{problem.name}",
            "title": problem.title,
            "status": problem.status,
            "detail": problem.detail,
        }
    )


def _notes(rooms: Rooms) -> list[str]:
    """Say what is wrong, in words that everyone may read; /v1/models has the reasons."""
    notes = []
    for number in rooms.current.refused:
        which = "The published model" if number is None else f"Generation {number}"
        notes.append(f"{which} was refused; see /v1/models and the log.")
    if rooms.current.serving is None and not notes:
        notes.append("No model was published yet: run 'projectionist train'.")
    return notes
