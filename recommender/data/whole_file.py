"""A small file to disk: whole under its name, or not there at all."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path


def refuse_taken(path: Path, replace: bool) -> None:
    """Say before hours of work that nothing could be written under a name.

    Parameters
    ----------
    path
        The name.
    replace
        Whether a file of that name may be replaced.

    Raises
    ------
    OSError
        When it is a folder, a device or a pipe, when its folder is not there or takes no files, or
        when it exists and may not be replaced (:class:`FileExistsError`). It names ``path``.
    """
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, "this is a folder, not a file", str(path))
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it is no ordinary file; name another one", str(path))
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "its folder does not exist", str(path))
    if not replace and (path.is_symlink() or path.exists()):
        raise FileExistsError(
            errno.EEXIST, "it exists, and is replaced only when told to (--force)", str(path)
        )
    # By trying: rights alone do not tell of a read-only disk, of a quota, or what root may do.
    try:
        handle, scratch = tempfile.mkstemp(prefix=".writing-", dir=path.parent)
    except OSError as error:
        raise OSError(
            error.errno, f"its folder takes no files ({error.strerror})", str(path)
        ) from error
    os.close(handle)
    Path(scratch).unlink()


def write_whole(path: Path, content: bytes) -> None:
    """Write a file beside its name, and rename it when it is whole and on disk.

    A file of that name is replaced.

    Raises
    ------
    OSError
        When the disk refuses; it names ``path``, and nothing is left behind.
    """
    try:
        handle, scratch = tempfile.mkstemp(prefix=".writing-", dir=path.parent)
    except OSError as error:
        raise _unwritten(path, error) from error
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fchmod(stream.fileno(), 0o644)  # as if it had been opened by its name
            os.fsync(stream.fileno())
        Path(scratch).replace(path)
    except OSError as error:
        Path(scratch).unlink(missing_ok=True)
        raise _unwritten(path, error) from error
    except BaseException:  # Ctrl+C as well
        Path(scratch).unlink(missing_ok=True)
        raise


def _unwritten(path: Path, error: OSError) -> OSError:
    return OSError(error.errno, f"{error.strerror}; nothing was written", str(path))
