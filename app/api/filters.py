"""How a filter is taken from a request: its mask is made once, or an error told."""

from starlette.concurrency import run_in_threadpool

from app.filtering import FilterError
from app.problems import ProblemError
from app.serving.current import Serving
from recommender.arrays import Mask


async def allowed_by(serving: Serving, expression: str | None, field: str) -> Mask | None:
    """(n_rows,) bool, read-only: what may appear and is let through; ``None`` without a filter.

    It is made in a thread: a filter that looks into attributes reads every movie, and nobody else
    need wait for that.

    Raises
    ------
    ProblemError
        When the expression is none; names the field and the place in it.
    """
    if expression is None:
        return None
    try:
        return await run_in_threadpool(serving.masks.of, expression)
    except FilterError as error:
        line = {"field": field, "code": "filter", "message": str(error)}
        raise ProblemError("invalid-request", errors=[line]) from None
