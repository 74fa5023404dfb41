"""Generations: which one serves, which are kept, which were refused and why."""

from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from app.api.rooms import In, Rooms, answer
from app.api.schemas import operations as schemas
from app.api.schemas.fields import GenerationPath
from app.api.strict_route import StrictRoute
from app.problems import ProblemError
from recommender.errors import GenerationError
from recommender.generations import Manifest, generation_path, list_generations, read_manifest

router = APIRouter(prefix="/v1/models", tags=["models"], route_class=StrictRoute)


@router.get("", response_model=schemas.Models)
async def list_models(rooms: In) -> Response:
    """List all generations, newest first, and those that were refused."""
    manifests = await run_in_threadpool(list_generations, rooms.settings.models_path)
    serving = rooms.current.serving
    return answer(
        {
            "serving": serving.number if serving else None,
            "models": [_record(rooms, manifest) for manifest in manifests],
            "refused": [
                {"generation": number, "reason": reason}
                for number, reason in rooms.current.refused.items()
            ],
        }
    )


@router.get("/{generation}", response_model=schemas.Model)
async def get_model(generation: GenerationPath, rooms: In) -> Response:
    """Return one generation."""
    path = generation_path(rooms.settings.models_path, generation)
    try:
        manifest = await run_in_threadpool(read_manifest, path)
    except GenerationError:
        raise ProblemError("unknown-model") from None
    return answer(_record(rooms, manifest))


def _record(rooms: Rooms, manifest: Manifest) -> dict[str, Any]:
    serving = rooms.current.serving
    state = "kept"
    if serving is not None and serving.number == manifest.generation:
        state = "serving"
    elif manifest.generation in rooms.current.refused:
        state = "refused"
    return {
        "generation": manifest.generation,
        "state": state,
        "trained_at": manifest.trained_at,
        "watermark": manifest.watermark,
        "metrics": manifest.metrics,
        "options": manifest.options,
        "parent": manifest.parent,
        "note": manifest.note,
    }
