"""Fetch a MovieLens release from GroupLens into a cache folder, verified."""

from __future__ import annotations

import fcntl
import hashlib
import http.client
import re
import zipfile
import zlib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from recommender.data.movielens_releases import BASE_URL, RELEASE_NAMES, RELEASES, Release
from recommender.data.transfer import Transfer, open_url
from recommender.errors import DownloadError, InvalidOptionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATIENCE_SECONDS = 30.0
_LONGEST_CHECKSUM_FILE = 1_024


def default_cache_dir() -> Path:
    """Return where downloads are kept when nobody says otherwise: ``~/.cache/projectionist``.

    The environment is not asked; an application that honours ``XDG_CACHE_HOME`` or a setting of
    its own passes the folder to :func:`download`.
    """
    return Path.home() / ".cache" / "projectionist"


def download(
    name: str,
    cache_dir: Path | str | None = None,
    *,
    base_url: str | None = None,
    progress: Callable[[int, int | None], None] | None = None,
    timeout: float = PATIENCE_SECONDS,
) -> Path:
    """Return the verified archive of a MovieLens release, fetching it when it is not there yet.

    A broken download goes on where it stopped. What arrives is compared with the length that the
    server announces and with the published MD5, and only then gets its name. An archive that was
    put into the folder by hand is verified and used like a fetched one.

    Parameters
    ----------
    name
        One of ``ml-latest-small``, ``ml-100k``, ``ml-1m``, ``ml-10m``, ``ml-20m``, ``ml-25m``,
        ``ml-32m``. Their terms: ``RELEASES[name].notice`` in
        :mod:`recommender.data.movielens_releases`.
    cache_dir
        The folder that keeps archives, made when missing; :func:`default_cache_dir` unless given.
    base_url
        A mirror to fetch from; it must hold ``NAME.zip`` (and ``NAME.zip.md5``).
    progress
        Called with (bytes so far, bytes in all or ``None`` when not known).
    timeout
        Seconds without a byte after which a connection counts as dead.

    Returns
    -------
    Path
        ``cache_dir/NAME.zip``, for :func:`recommender.data.dataset.read_dataset`.

    Raises
    ------
    InvalidOptionError
        For an unknown name or a ``base_url`` that is not HTTP.
    DownloadError
        When it cannot be fetched or written, or is not what was published.
    """
    if name not in RELEASES:
        raise InvalidOptionError(
            f"there is no data set of that name to fetch; known are: {', '.join(RELEASE_NAMES)}"
        )
    release = RELEASES[name]
    folder = Path(cache_dir) if cache_dir is not None else default_cache_dir()
    url = _base(base_url) + release.archive
    target = folder / release.archive
    report = progress or (lambda _done, _total: None)
    transfer = Transfer(url, folder / f"{release.archive}.part", timeout, report)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder / f"{release.archive}.lock"):
            damage = _damage(target, release) if target.exists() else "is not there"
            if damage is None:
                report(target.stat().st_size, target.stat().st_size)
                return target
            try:
                _fetch(release, transfer, target)
            except DownloadError as error:
                already = f" (the file there now {damage})" if target.exists() else ""
                raise DownloadError(
                    f"{error}. By hand: fetch {url} and put it at {target}{already}"
                ) from error
    except OSError as error:
        raise DownloadError(
            f"{folder}: cannot be used as cache folder: {error.strerror or error}"
        ) from error
    return target


def _fetch(release: Release, transfer: Transfer, target: Path) -> None:
    expected = release.md5 or _published_md5(transfer.url + ".md5", transfer.timeout)
    transfer.run()
    found = _md5(transfer.part)
    if found != expected:
        transfer.discard()
        raise DownloadError(
            f"{transfer.url}: what arrived has the MD5 {found}, published is {expected}; it was "
            "removed. Try again: it may have been damaged on its way, or replaced on the server"
        )
    _checksum_file(target).write_text(f"{expected}  {target.name}\n", encoding="ascii")
    transfer.finish(target)


def _damage(target: Path, release: Release) -> str | None:
    """Return what is wrong with an archive in the cache, ``None`` when nothing is."""
    expected = release.md5 or _md5_in(_read_small(_checksum_file(target)))
    if expected is not None:
        found = _md5(target)
        return None if found == expected else f"has the MD5 {found}, expected {expected}"
    # Put there by hand, of a release whose checksum changes: its members have checksums too.
    try:
        with zipfile.ZipFile(target) as archive:
            broken = archive.testzip()
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError) as error:
        return f"is no complete zip archive: {error}"
    return None if broken is None else f"is damaged in {broken[:60]!r}"


def _published_md5(url: str, timeout: float) -> str:
    with open_url(url, timeout, {}) as response:
        try:
            text = response.read(_LONGEST_CHECKSUM_FILE)
        except (OSError, http.client.HTTPException) as error:
            raise DownloadError(f"{url}: the connection broke ({error})") from error
    found = _md5_in(text.decode("ascii", "replace"))
    if found is None:
        raise DownloadError(f"{url}: this is no published checksum")
    return found


def _md5_in(text: str) -> str | None:
    """Return the checksum in ``MD5 (name) = HEX`` or ``HEX  name``."""
    found = re.search(r"\b[0-9a-f]{32}\b", text.lower())
    return found[0] if found else None


def _md5(path: Path) -> str:
    # Against damage, not against attackers: it is what the publisher offers.
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _checksum_file(target: Path) -> Path:
    return target.with_name(target.name + ".md5")


def _read_small(path: Path) -> str:
    try:
        return path.read_bytes()[:_LONGEST_CHECKSUM_FILE].decode("ascii", "replace")
    except FileNotFoundError:
        return ""


def _base(base_url: str | None) -> str:
    base = BASE_URL if base_url is None else base_url
    try:
        parts = urlsplit(base)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise InvalidOptionError("base_url must begin with http:// or https:// and name a host")
    return base.rstrip("/") + "/"


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Keep a second process from writing the same file."""
    with path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DownloadError(
                f"another process is fetching {path.name.removesuffix('.lock')} into {path.parent};"
                " wait until it has finished"
            ) from None
        yield
