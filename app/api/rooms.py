"""What the application holds, for the routes to ask for."""

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends
from starlette.requests import Request

from app.importing.jobs import Imports
from app.mapping.once import Once
from app.serving.current import Current, Serving, current_serving
from app.serving.loader import Loader
from app.settings import Settings
from app.store.interface import Store
from app.trainer.launcher import Launcher


@dataclass(frozen=True, slots=True)
class Rooms:
    """The parts of one running application."""

    settings: Settings
    store: Store
    current: Current
    loader: Loader
    maps: Once
    launcher: Launcher
    imports: Imports


async def rooms(request: Request) -> Rooms:
    """Depend on the parts of the application."""
    return cast("Rooms", request.app.state.rooms)


In = Annotated[Rooms, Depends(rooms)]
"""A parameter of a route: the parts of the application."""

Now = Annotated[Serving, Depends(current_serving)]
"""A parameter of a route: the model of the moment; the answer is 503 when there is none."""
