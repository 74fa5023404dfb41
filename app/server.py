"""The process that listens."""

from __future__ import annotations

import gc
import logging
import signal
from typing import TYPE_CHECKING

import uvicorn

from app.main import create_app
from app.receiving import punctual_protocol
from app.telemetry import configure_logging

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from types import FrameType

    from app.settings import Settings

GARBAGE_AFTER = 10_000
"""So many new objects, not yet freed, make Python look for cycles among them."""

logger = logging.getLogger(__name__)


class Server(uvicorn.Server):
    """uvicorn's server, which tells when it listens."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[str], None] | None) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to listen, then say where."""
        await super().startup(sockets)
        # What is there now, the catalogue above all, stays: nobody need look through it again and
        # again for cycles, and a request makes few objects that need a look.
        gc.collect()
        gc.freeze()
        gc.set_threshold(GARBAGE_AFTER, 50, 50)
        if self.started and self._on_ready is not None:
            self._on_ready(self.address())

    def address(self) -> str:
        """Return the address to open; the port is the real one when 0 was asked for."""
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        return f"http://{shown}:{port}"


def serve(settings: Settings, on_ready: Callable[[str], None] | None = None) -> None:
    """Serve until SIGTERM or SIGINT; requests under way may finish.

    Parameters
    ----------
    settings
        Where to listen, what to serve.
    on_ready
        Called once with the address when the first request can be answered.

    Raises
    ------
    SettingsError
        When the server must not start with these settings.
    SystemExit
        With status 3 when it cannot listen or open its store; the log says why.
    """
    configure_logging(settings)
    app = create_app(settings)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http=punctual_protocol(settings.receive_seconds, app.state.at_once),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=settings.keep_alive_seconds,
        timeout_graceful_shutdown=settings.shutdown_seconds,
    )
    server = Server(config, on_ready)

    def stop(_signal: int, _frame: FrameType | None) -> None:
        # uvicorn raises the signal again when it has shut down: that it was obeyed is no failure.
        if not server.should_exit:
            raise SystemExit(0)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    server.run()
    if not server.started:
        raise SystemExit(3)
    logger.info("stopped")
