"""Fetch one file over HTTP, go on where it stopped, and say in words what went wrong.

Bytes go to ``NAME.part``; ``NAME.part.validator`` holds the ETag (or the date) of what they are a
part of, so that a file that has changed on the server is never joined to an older half (RFC 9110,
sections 13.1.5 and 14).
"""

from __future__ import annotations

import errno
import http.client
import os
import re
import shutil
import socket
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from recommender.errors import DownloadError
from recommender.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable
    from io import FileIO
    from pathlib import Path

LARGEST_FILE = 4 << 30
_CHUNK = 1 << 18
# Connections that break without having brought a single byte, before we give up.
_FRUITLESS_TRIES = 3
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class _InterruptedError(Exception):
    """The connection broke; going on where it stopped may help."""


@dataclass(frozen=True)
class Transfer:
    """One file on its way from ``url`` to ``part``.

    Attributes
    ----------
    timeout
        Seconds without a byte after which the connection counts as dead.
    progress
        Called with (bytes so far, bytes in all or ``None``).
    """

    url: str
    part: Path
    timeout: float
    progress: Callable[[int, int | None], None]

    @property
    def _validator_file(self) -> Path:
        return self.part.with_name(self.part.name + ".validator")

    def run(self) -> None:
        """Fetch the file, or the rest of it; ``part`` is complete and on disk afterwards.

        Raises
        ------
        DownloadError
            What arrived stays, so that the next call goes on from there.
        """
        fruitless = 0
        while True:
            before = self._size()
            try:
                self._attempt(before)
            except _InterruptedError as error:
                fruitless = 0 if self._size() > before else fruitless + 1
                if fruitless >= _FRUITLESS_TRIES:
                    raise DownloadError(
                        f"{self.url}: {error}, {fruitless} times; {self._size():,} bytes are kept: "
                        "the same command goes on from there"
                    ) from error
            else:
                return

    def discard(self) -> None:
        """Remove what has arrived so far."""
        self.part.unlink(missing_ok=True)
        self._validator_file.unlink(missing_ok=True)

    def finish(self, target: Path) -> None:
        """Move the complete file to its final name, durably."""
        self.part.replace(target)
        self._validator_file.unlink(missing_ok=True)
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _size(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def _attempt(self, have: int) -> None:
        headers: dict[str, str] = {}
        validator = self._validator()
        if have and validator:
            headers = {"Range": f"bytes={have}-", "If-Range": validator}
        try:
            response = open_url(self.url, self.timeout, headers)
        except urllib.error.HTTPError as error:
            self._not_satisfiable(error, have)
            return
        with response:
            start, total = self._extent(response, have)
            self._check_room(start, total)
            if start == 0:
                self._remember(response)
            self._copy(response, start, total)

    def _not_satisfiable(self, error: urllib.error.HTTPError, have: int) -> None:
        """Return when a 416 says that nothing is missing, otherwise start anew."""
        with error:
            found = re.fullmatch(r"bytes \*/([0-9]+)", error.headers.get("Content-Range", ""))
        if found and int(found[1]) == have:
            self.progress(have, have)
            return
        self.discard()
        raise _InterruptedError("the server's file has another length than before")

    def _extent(self, response: http.client.HTTPResponse, have: int) -> tuple[int, int | None]:
        """Return where the answer's first byte belongs, and the length of the whole file."""
        if response.status == http.HTTPStatus.PARTIAL_CONTENT:
            found = re.fullmatch(
                r"bytes ([0-9]+)-[0-9]+/([0-9]+|\*)", response.headers.get("Content-Range", "")
            )
            if not found or int(found[1]) != have:
                self.discard()
                raise _InterruptedError("the server sent another part than the one asked for")
            return have, None if found[2] == "*" else int(found[2])
        length = response.headers.get("Content-Length", "")
        return 0, int(length) if length.isdigit() else None

    def _check_room(self, start: int, total: int | None) -> None:
        if total is None:
            return
        if total > LARGEST_FILE:
            raise DownloadError(
                f"{self.url}: the server announces {total:,} bytes; no data set here is larger "
                f"than {LARGEST_FILE:,}"
            )
        free = shutil.disk_usage(self.part.parent).free
        if free < total - start:
            raise DownloadError(
                f"{self.part.parent}: the disk has {free:,} bytes free and {total - start:,} are "
                "needed; make room or name another folder"
            )

    def _validator(self) -> str:
        try:
            return self._validator_file.read_text(encoding="latin-1").strip()
        except OSError:
            return ""

    def _remember(self, response: http.client.HTTPResponse) -> None:
        tag = response.headers.get("ETag", "")
        # A weak tag does not promise the same bytes.
        validator = tag if tag.startswith('"') else response.headers.get("Last-Modified", "")
        if validator:
            self._validator_file.write_text(validator, encoding="latin-1")
        else:
            self._validator_file.unlink(missing_ok=True)

    def _copy(self, response: http.client.HTTPResponse, start: int, total: int | None) -> None:
        done = start
        with self.part.open("ab" if start else "wb", buffering=0) as file:
            try:
                self.progress(done, total)
                while chunk := self._receive(response):
                    done += len(chunk)
                    if done > (LARGEST_FILE if total is None else total):
                        raise DownloadError(f"{self.url}: the server sends more than it announced")
                    self._write(file, chunk)
                    self.progress(done, total)
            finally:
                self._write(file, b"")
        if total is not None and done < total:
            raise _InterruptedError(f"the connection ended after {done:,} of {total:,} bytes")

    def _receive(self, response: http.client.HTTPResponse) -> bytes:
        try:
            return response.read1(_CHUNK)
        except TimeoutError:
            raise _InterruptedError(f"no byte came for {self.timeout:g} seconds") from None
        except (OSError, http.client.HTTPException) as error:
            raise _InterruptedError(f"the connection broke ({error})") from error

    def _write(self, file: FileIO, chunk: bytes) -> None:
        """Write a chunk; an empty one means that all of it must reach the disk."""
        rest = memoryview(chunk)
        try:
            while rest:
                rest = rest[file.write(rest) :]
            # Special files need no fsync, and some refuse it.
            if not chunk and self.part.is_file():
                os.fsync(file.fileno())
        except OSError as error:
            if error.errno in _FULL:
                raise DownloadError(
                    f"{self.part}: the disk is full; make room and call again: what arrived is kept"
                ) from error
            raise DownloadError(f"{self.part}: cannot be written: {error.strerror}") from error


def open_url(url: str, timeout: float, headers: dict[str, str]) -> http.client.HTTPResponse:
    """Send a GET request over HTTP or HTTPS and return the answer.

    Raises
    ------
    urllib.error.HTTPError
        For status 416 only, which callers that asked for a part must judge.
    DownloadError
        For everything else that goes wrong.
    """
    host = urlsplit(url).hostname or url
    request = urllib.request.Request(  # noqa: S310 (the opener below knows HTTP and HTTPS only)
        url,
        headers={
            "User-Agent": f"projectionist/{__version__}",
            "Accept-Encoding": "identity",
            **headers,
        },
    )
    try:
        response: http.client.HTTPResponse = _opener().open(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and "Range" in headers:
            raise
        with error:
            raise DownloadError(f"{url}: {_status_in_words(error)}") from error
    except urllib.error.URLError as error:
        raise DownloadError(f"{host} cannot be reached: {_reason_in_words(error)}") from error
    except TimeoutError as error:
        raise DownloadError(f"{host} did not answer within {timeout:g} seconds") from error
    except (OSError, http.client.HTTPException) as error:
        raise DownloadError(f"{host} broke the connection: {error}") from error
    return response


def _opener() -> urllib.request.OpenerDirector:
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener


def _status_in_words(error: urllib.error.HTTPError) -> str:
    if error.code in {http.HTTPStatus.NOT_FOUND, http.HTTPStatus.GONE}:
        return f"the server has no such file (status {error.code}); it may have moved"
    if error.code >= http.HTTPStatus.INTERNAL_SERVER_ERROR:
        return f"the server is in trouble (status {error.code}); try again later"
    return f"the server refused (status {error.code})"


def _reason_in_words(error: urllib.error.URLError) -> str:
    reason = error.reason
    if isinstance(reason, socket.gaierror):
        return "its name is not known here: there may be no network"
    if isinstance(reason, ssl.SSLError):
        return f"its certificate or encryption is not accepted ({reason.reason or reason})"
    if isinstance(reason, TimeoutError):
        return "it does not answer: there may be no network, or a firewall"
    if isinstance(reason, OSError):
        return f"{reason.strerror or reason}: there may be no network"
    return str(reason)
