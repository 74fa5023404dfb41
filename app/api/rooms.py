"""What the application holds, for the routes to ask for."""

from dataclasses import dataclass
from typing import Annotated, Any, cast

import orjson
from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from app.mapping.once import Once
from app.serving.current import Current, Serving, current_serving
from app.serving.loader import Loader
from app.settings import Settings
from app.store.interface import Store


@dataclass(frozen=True, slots=True)
class Rooms:
    """The parts of one running application."""

    settings: Settings
    store: Store
    current: Current
    loader: Loader
    maps: Once


async def rooms(request: Request) -> Rooms:
    """Depend on the parts of the application."""
    return cast("Rooms", request.app.state.rooms)


In = Annotated[Rooms, Depends(rooms)]
"""A parameter of a route: the parts of the application."""

Now = Annotated[Serving, Depends(current_serving)]
"""A parameter of a route: the model of the moment; the answer is 503 when there is none."""


def answer(content: Any, status: int = 200) -> Response:
    """Encode an answer once, as JSON."""
    return Response(orjson.dumps(content), status, media_type="application/json")
