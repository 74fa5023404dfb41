"""Joins the rooms; the only place that does."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from fastapi import FastAPI
from starlette.middleware import Middleware

from app import access, addresses, error_handlers, size_gate, telemetry
from app.api import openapi, short_cut
from app.api.rooms import Rooms
from app.api.routes import ROUTERS
from app.mapping.once import Once
from app.serving.catalogue import Catalogue
from app.serving.current import Current
from app.serving.loader import Loader
from app.store import open_store
from recommender.solvers.threads import single_threaded_blas
from recommender.version import __version__

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from app.settings import Settings


def create_app(settings: Settings) -> FastAPI:
    """Return the application; its store and model are opened when it starts.

    Raises
    ------
    SettingsError
        When others could reach the server and no key is set.
    """
    access.refuse_open_server(settings)
    requests = telemetry.RequestCounts()
    door = access.Door(settings)
    at_once = short_cut.ShortCut(door, requests)

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_rooms(settings) as rooms:
            app.state.rooms = at_once.rooms = rooms
            app.state.current = rooms.current
            app.state.registry = telemetry.registry_of(requests, rooms.current, rooms.store)
            yield
            at_once.rooms = None

    app = FastAPI(
        title="Projectionist",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # app/telemetry does it
        middleware=[  # outermost first
            Middleware(telemetry.Telemetry, requests=requests),
            Middleware(addresses.Addresses),
            Middleware(access.Gate, door=door),
            Middleware(size_gate.SizeGate),
        ],
    )
    app.state.at_once = at_once
    for router in ROUTERS:
        app.router.routes.extend(router.routes)  # flat: an error can see every method of a path
    error_handlers.install(app)
    openapi.install(app)
    return app


@contextlib.asynccontextmanager
async def open_rooms(settings: Settings) -> AsyncIterator[Rooms]:
    """Open the store and load the model; close everything at the end."""
    store = await asyncio.to_thread(open_store, settings.database, settings.data_dir)
    maps = Once()
    try:
        current = Current(Catalogue(await asyncio.to_thread(store.all_movies)))
        loader = Loader(current, store, settings.models_path)
        with single_threaded_blas():
            await loader.start()
            looking = asyncio.create_task(loader.run(settings.model_poll_seconds))
            try:
                yield Rooms(settings, store, current, loader, maps)
            finally:
                looking.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await looking
    finally:
        await asyncio.to_thread(maps.close)
        await asyncio.to_thread(store.close)
