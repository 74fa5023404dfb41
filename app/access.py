"""Who may come in.

Bound to a loopback address the server needs no key: whoever reaches it sits at this computer.
Two strangers could come along all the same, both inside the browser of whoever sits here, and
both are refused: a web page whose host name was made to point to this computer (DNS rebinding:
its name stands in ``Host``), and a web page of another origin that sends a form or a ``fetch``
here without caring for the answer (``Sec-Fetch-Site``, ``Origin``).

Bound elsewhere the server does not start without a key. With a key, every address needs it
except those in :data:`OPEN_PATHS`.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from app.problems import ProblemError, problem_response
from app.settings import Settings, SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Receive, Scope, Send

OPEN_PATHS = frozenset({"/livez", "/readyz", "/version", "/", "/map", "/docs", "/favicon.ico"})
"""Open to everyone: operations, and the pages, which hold no data until they are given a key."""

OPEN_PREFIXES = ("/static/", "/problems/")
_HARMLESS = frozenset({"GET", "HEAD", "OPTIONS"})


@lru_cache(maxsize=128)
def is_loopback(host: str) -> bool:
    """Whether an address or name can be reached from this computer alone.

    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("localhost")
    (True, True, True)
    >>> is_loopback("0.0.0.0"), is_loopback("localhost.example.com")
    (False, False)
    """
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def refuse_open_server(settings: Settings) -> None:
    """Raise :class:`SettingsError` when others could reach the server and no key is set."""
    if settings.api_key is None and not is_loopback(settings.host):
        raise SettingsError(
            f"PROJECTIONIST_HOST is {settings.host}, which other computers can reach, and "
            "PROJECTIONIST_API_KEY is not set. Set a key (for example the output of "
            "'openssl rand -hex 32'), or listen on 127.0.0.1."
        )


class Gate:
    """Let in who may come in; pure ASGI."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self.app = app
        self.door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer with the problem."""
        if scope["type"] == "http":
            refusal = self.door.refusal(scope, dict(scope["headers"]))
            if refusal is not None:
                await problem_response(refusal)(scope, receive, send)
                return
        elif scope["type"] == "websocket":  # none is served: deny by default
            await send({"type": "websocket.close", "code": 1008})
            return
        await self.app(scope, receive, send)


class Door:
    """Knows who may come in.

    Only a SHA-256 of the key is kept, and it is compared in constant time.
    """

    def __init__(self, settings: Settings) -> None:
        key = settings.api_key
        self._key = None if key is None else _digest(key.get_secret_value().encode())
        self._hosts = frozenset(host.lower() for host in settings.allowed_hosts)

    def refusal(self, scope: Scope, headers: Mapping[bytes, bytes]) -> ProblemError | None:
        """Return why a request with these headers may not come in, ``None`` when it may."""
        host = headers.get(b"host", b"").decode("latin-1")
        if (self._key is None or self._hosts) and not self._serves(host):
            return ProblemError("forbidden-host")
        if self._key is not None:
            return self._key_refusal(scope, headers)
        if scope["method"] not in _HARMLESS and _comes_from_elsewhere(scope, headers, host):
            return ProblemError("cross-site-request")
        return None

    def _serves(self, host: str) -> bool:
        name = _host_name(host)
        return name is not None and (
            name in self._hosts or (self._key is None and is_loopback(name))
        )

    def _key_refusal(self, scope: Scope, headers: Mapping[bytes, bytes]) -> ProblemError | None:
        path = scope["path"]
        if path in OPEN_PATHS or path.startswith(OPEN_PREFIXES):
            return None
        scheme, _, given = headers.get(b"authorization", b"").partition(b" ")
        # The digest is compared even when the scheme is wrong: all refusals take the same way.
        right = hmac.compare_digest(_digest(given.strip()), self._key or b"")
        if right and scheme.lower() == b"bearer":
            return None
        return ProblemError(
            "unauthorized", headers={"WWW-Authenticate": 'Bearer realm="projectionist"'}
        )


def _digest(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()


@lru_cache(maxsize=128)  # nearly all requests come for one
def _host_name(host: str) -> str | None:
    """Return the name in a ``Host`` header without its port; ``None`` when it is no name."""
    try:
        parts = urlsplit(f"//{host}")
        name = parts.hostname
        _ = parts.port  # raises when it is none
    except ValueError:
        return None
    plain = parts.netloc == host and "@" not in host
    return name if plain else None


def _comes_from_elsewhere(scope: Scope, headers: Mapping[bytes, bytes], host: str) -> bool:
    """Whether a browser says that a page of another origin sends this.

    Other clients send neither header. "same-site" is refused too: to a browser every port of
    this computer is one site.
    """
    site = headers.get(b"sec-fetch-site")
    if site is not None and site not in (b"same-origin", b"none"):
        return True
    origin = headers.get(b"origin")
    if origin is None:
        return False
    return origin.decode("latin-1").lower() != f"{scope['scheme']}://{host}".lower()
