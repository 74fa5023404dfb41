"""How a filter is taken from a request: its mask is made, or an error told, before all else."""

from starlette.concurrency import run_in_threadpool

from app.filtering import FilterError
from app.problems import ProblemError
from app.serving.current import Serving


async def prepare_filter(serving: Serving, expression: str | None, field: str) -> None:
    """Have the mask of an expression at hand for the rest of the request.

    It is made in a thread: a filter that looks into attributes reads every movie, and nobody else
    need wait for that.

    Raises
    ------
    ProblemError
        When the expression is none; names the field and the place in it.
    """
    if expression is None:
        return
    try:
        await run_in_threadpool(serving.allowed, expression)
    except FilterError as error:
        line = {"field": field, "code": "filter", "message": str(error)}
        raise ProblemError("invalid-request", errors=[line]) from None
