"""Joins the rooms; the only place that does."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from functools import partial
from typing import TYPE_CHECKING

from fastapi import FastAPI
from starlette.middleware import Middleware

from app import access, addresses, error_handlers, size_gate, telemetry
from app.api import openapi, short_cut
from app.api.rooms import Rooms
from app.api.routes import ROUTERS
from app.importing.jobs import Imports
from app.mapping.once import Once
from app.serving.catalogue import Catalogue
from app.serving.current import Current
from app.serving.loader import Loader
from app.store import StoreUnavailable, open_store
from app.trainer.launcher import Launcher
from app.trainer.records import read_records
from app.trainer.schedule import Schedule, Scheduler
from recommender.solvers.threads import single_threaded_blas
from recommender.version import __version__

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from concurrent.futures import Future

    from app.settings import Settings
    from app.store.interface import Store


DATABASE_SECONDS = 60.0
"""How long a start waits for a database that is a server of its own."""

logger = logging.getLogger(__name__)


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
            app.state.registry = telemetry.registry_of(
                requests,
                rooms.current,
                rooms.store,
                rooms.loader.swaps,
                partial(read_records, settings.models_path),
            )
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
    store = await _open_store(settings)
    maps = Once()
    launcher = Launcher(settings)
    try:
        current = Current(Catalogue(await asyncio.to_thread(store.all_movies)))
        current.on_erasure.append(maps.clear)
        loader = Loader(current, store, settings.models_path)
        with single_threaded_blas():
            await loader.start()
            looking = asyncio.create_task(loader.run(settings.model_poll_seconds))
            training = asyncio.create_task(_scheduler(settings, launcher, store).run())
            try:
                async with _imports(settings, store, loader) as imports:
                    yield Rooms(settings, store, current, loader, maps, launcher, imports)
            finally:
                for task in (looking, training):
                    task.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        await task
    finally:
        await asyncio.to_thread(launcher.close)
        await asyncio.to_thread(maps.close)
        await asyncio.to_thread(store.close)


def _scheduler(settings: Settings, launcher: Launcher, store: Store) -> Scheduler:
    schedule = Schedule(settings.train_every_seconds, settings.train_after_changes)
    return Scheduler(schedule, launcher, store, settings.models_path)


@contextlib.asynccontextmanager
async def _imports(settings: Settings, store: Store, loader: Loader) -> AsyncIterator[Imports]:
    """Begin with the imports that wait; what they store is learned by the loop of this thread."""
    loop = asyncio.get_running_loop()
    learning: list[Future[None]] = []

    def on_done() -> None:
        learning[:] = [one for one in learning if not one.done()]
        learning.append(asyncio.run_coroutine_threadsafe(loader.refresh(), loop))

    imports = Imports(store, settings.data_dir / "imports", settings.scale, on_done)
    imports.start()
    try:
        yield imports
    finally:
        await asyncio.to_thread(imports.close)
        await asyncio.gather(*map(asyncio.wrap_future, learning), return_exceptions=True)


async def _open_store(settings: Settings) -> Store:
    """Open the store; wait for a database server that starts at the same time as this one."""
    on_a_server = (settings.database or "").startswith("postgres")
    until = time.monotonic() + (DATABASE_SECONDS if on_a_server else 0)
    while True:
        try:
            return await asyncio.to_thread(open_store, settings.database, settings.data_dir)
        except StoreUnavailable as error:
            if time.monotonic() >= until:
                raise
            logger.warning("waiting for the database: %s", error)
        await asyncio.sleep(1)
