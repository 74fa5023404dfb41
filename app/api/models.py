"""Generations: which one serves, which are kept, which were refused and why."""

from pathlib import Path
from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from app.api.answering import answer
from app.api.rooms import In, Rooms
from app.api.schemas import operations as schemas
from app.api.schemas.fields import GenerationPath
from app.api.strict_route import StrictRoute
from app.problems import ProblemError
from app.serving.loader import reason
from recommender.errors import GenerationError, GenerationNotFoundError
from recommender.generations import (
    Manifest,
    generation_numbers,
    generation_path,
    read_manifest,
)

router = APIRouter(prefix="/v1/models", tags=["models"], route_class=StrictRoute)


@router.get("", response_model=schemas.Models)
async def list_models(rooms: In) -> Response:
    """List all generations, newest first, and those that were refused."""
    manifests, unreadable = await run_in_threadpool(_read_all, rooms.settings.models_path)
    serving = rooms.current.serving
    # What the loader was told is newer knowledge than what a manifest alone can tell.
    refused = {**unreadable, **rooms.current.refused}
    return answer(
        {
            "serving": serving.number if serving else None,
            "models": [_record(rooms, manifest) for manifest in manifests],
            "refused": [
                {"generation": number, "reason": reason} for number, reason in refused.items()
            ],
        }
    )


@router.get("/{generation}", response_model=schemas.Model)
async def get_model(generation: GenerationPath, rooms: In) -> Response:
    """Return one generation."""
    path = generation_path(rooms.settings.models_path, generation)
    try:
        manifest = await run_in_threadpool(read_manifest, path)
    except GenerationNotFoundError:
        raise ProblemError("unknown-model") from None
    return answer(_record(rooms, manifest))


def _read_all(models: Path) -> tuple[list[Manifest], dict[int | None, str]]:
    """Return what is known of each generation, newest first, and why of others nothing is."""
    manifests: list[Manifest] = []
    unreadable: dict[int | None, str] = {}
    for number in reversed(generation_numbers(models)):
        try:
            manifests.append(read_manifest(generation_path(models, number)))
        except GenerationNotFoundError:  # it went meanwhile
            continue
        except GenerationError as error:
            unreadable[number] = reason(error, models)
    return manifests, unreadable


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
