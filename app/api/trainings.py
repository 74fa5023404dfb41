"""Trainings: start one, follow it, see what came of it."""

import logging
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Path
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from app.api.answering import answer
from app.api.rooms import In
from app.api.schemas import trainings as schemas
from app.api.strict_route import StrictRoute
from app.problems import ProblemError
from app.trainer.lock import TrainingRunningError
from app.trainer.records import read_record, read_records

logger = logging.getLogger(__name__)

router = APIRouter(prefix="/v1/trainings", tags=["models"], route_class=StrictRoute)

TrainingPath = Annotated[
    str, Path(description="The id of a training.", pattern="^[0-9]+$", min_length=1, max_length=12)
]


@router.post("", status_code=202, response_model=schemas.Training)
async def start_training(rooms: In) -> Response:
    """Train on all that is stored now, in a process of its own.

    What comes of it is published if it passes the gate. One training runs at a time: while one
    does, the answer is 409, and the header `Location` says which.
    """
    try:
        record = await run_in_threadpool(rooms.launcher.start, "request")
    except TrainingRunningError as error:
        where = {} if error.training is None else {"Location": f"{router.prefix}/{error.training}"}
        detail = f"Training {error.training} is running." if error.training else None
        raise ProblemError("training-running", detail, headers=where) from None
    except OSError as error:
        logger.error("no training can be started", exc_info=error)  # noqa: TRY400 - as elsewhere
        raise ProblemError("training-unavailable") from None
    response = answer(asdict(record), 202)
    response.headers["Location"] = f"{router.prefix}/{record.id}"
    return response


@router.get("", response_model=schemas.Trainings)
async def list_trainings(rooms: In) -> Response:
    """List the newest trainings, newest first."""
    records = await run_in_threadpool(read_records, rooms.settings.models_path)
    return answer({"trainings": [asdict(record) for record in records]})


@router.get("/{training_id}", response_model=schemas.Training)
async def get_training(training_id: TrainingPath, rooms: In) -> Response:
    """Return one training: what it does, how far it is, and what came of it."""
    record = await run_in_threadpool(read_record, rooms.settings.models_path, training_id)
    if record is None:
        raise ProblemError("unknown-training")
    return answer(asdict(record))
