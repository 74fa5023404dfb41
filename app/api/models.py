"""Generations: which one serves, which are kept, which were refused or damaged, and why."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from app.api.answering import answer
from app.api.rooms import In, Rooms
from app.api.schemas import operations as schemas
from app.api.schemas.fields import GenerationPath
from app.api.strict_route import StrictRoute
from app.problems import ProblemError
from app.serving.generations import Shown, activate, read_shown, refused_by_gate, shown
from recommender.errors import GenerationNotFoundError

router = APIRouter(prefix="/v1/models", tags=["models"], route_class=StrictRoute)

Force = Annotated[bool, Query(description="Serve it although the gate has refused it.")]


@router.get("", response_model=schemas.Models)
async def list_models(rooms: In) -> Response:
    """List all generations, newest first, and those that could not be taken up."""
    found = await run_in_threadpool(read_shown, rooms.settings.models_path)
    serving = rooms.current.serving
    # What the loader was told is newer knowledge than what a manifest alone can tell.
    refused: dict[int | None, str] = {one.number: one.damage for one in found if one.damage}
    refused |= rooms.current.refused
    return answer(
        {
            "serving": serving.number if serving else None,
            "models": [_record(rooms, one) for one in found],
            "refused": [
                {"generation": number, "reason": reason} for number, reason in refused.items()
            ],
        }
    )


@router.get("/{generation}", response_model=schemas.Model)
async def get_model(generation: GenerationPath, rooms: In) -> Response:
    """Return one generation."""
    one = await run_in_threadpool(shown, rooms.settings.models_path, generation)
    if one is None:
        raise ProblemError("unknown-model")
    if one.manifest is None:
        raise ProblemError("unreadable-model")
    return answer(_record(rooms, one))


@router.post("/{generation}/activate", response_model=schemas.Model)
async def activate_model(generation: GenerationPath, rooms: In, force: Force = False) -> Response:
    """Serve this generation from now on: to go back to an earlier one, or to insist on one.

    Its files are read and checked first, so that one that is damaged leaves everything as it is.
    This process serves it when the answer comes, others within two seconds. A training that is
    under way does not undo it.
    """
    models = rooms.settings.models_path
    try:
        refusal = await run_in_threadpool(refused_by_gate, models, generation)
        if refusal is not None and not force:
            raise ProblemError("refused-model")
        await run_in_threadpool(activate, models, generation)
    except GenerationNotFoundError:
        raise ProblemError("unknown-model") from None
    await rooms.loader.look()
    one = await run_in_threadpool(shown, models, generation)
    if one is None:
        raise ProblemError("unknown-model")
    return answer(_record(rooms, one))


def _record(rooms: Rooms, one: Shown) -> dict[str, Any]:
    serving = rooms.current.serving
    manifest = one.manifest
    damage = one.damage or rooms.current.refused.get(one.number)
    if serving is not None and serving.number == one.number:
        state, reason = "current", None
    elif damage is not None:
        state, reason = "damaged", damage
    elif manifest is not None and manifest.is_refused:
        state, reason = "refused", manifest.reason
    else:
        state, reason = "kept", None
    return {
        "generation": one.number,
        "state": state,
        "reason": reason,
        "trained_at": manifest.trained_at if manifest else None,
        "watermark": manifest.watermark if manifest else None,
        "metrics": manifest.metrics if manifest else {},
        "options": manifest.options if manifest else {},
        "tuned": manifest.tuned if manifest else False,
        "parent": manifest.parent if manifest else None,
        "note": manifest.note if manifest else None,
        "size_bytes": one.size,
    }
