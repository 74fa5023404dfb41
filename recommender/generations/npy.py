"""One array in one ``.npy`` file: written durably, opened without trusting its header."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib import format as npy_format

from recommender.errors import InvalidInputError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def write_array(path: Path, array: NDArray[Any]) -> dict[str, Any]:
    """Write one array and sync it to the disk.

    Returns
    -------
    What :func:`open_array` will expect: shape, dtype, and the SHA-256 of the numbers.
    """
    contiguous = np.ascontiguousarray(array)
    with path.open("wb") as file:
        np.save(file, contiguous, allow_pickle=False)
        file.flush()
        os.fsync(file.fileno())
    return {
        "shape": list(contiguous.shape),
        "dtype": contiguous.dtype.str,
        "sha256": hashlib.sha256(contiguous.data).hexdigest(),
    }


def open_array(path: Path, expected: dict[str, Any]) -> NDArray[Any]:
    """Map one array read-only, after its header was compared with the manifest and its size.

    An 80-byte header can claim 32 GiB: nothing is mapped before shape times item size is known
    to be what the file holds.

    Raises
    ------
    InvalidInputError
        When header, manifest and size disagree.
    OSError
        When the file cannot be read.
    """
    with path.open("rb") as file:
        try:
            version = npy_format.read_magic(file)
            read_header = {
                (1, 0): npy_format.read_array_header_1_0,
                (2, 0): npy_format.read_array_header_2_0,
            }[version]
            shape, fortran_order, dtype = read_header(file)
        except (KeyError, ValueError) as error:
            raise InvalidInputError(f"{path.name} is no array: {error}") from None
        offset = file.tell()
        size = os.fstat(file.fileno()).st_size
    if dtype.kind not in "fiu" or fortran_order:
        raise InvalidInputError(f"{path.name} must hold plain numbers by rows; found {dtype}")
    if list(shape) != expected["shape"] or dtype.str != expected["dtype"]:
        raise InvalidInputError(
            f"{path.name} holds {dtype.str} of the shape {list(shape)}; "
            f"the manifest says {expected['dtype']} of {expected['shape']}"
        )
    needed = offset + int(np.prod(shape, dtype=object)) * dtype.itemsize
    if size != needed:
        raise InvalidInputError(f"{path.name} has {size} bytes; its header needs {needed}")
    if 0 in shape:
        return np.empty(shape, dtype)  # a map of no bytes is no map
    mapped = np.memmap(path, dtype=dtype, mode="r", offset=offset, shape=tuple(shape))
    return mapped.view(np.ndarray)  # the same pages; but a memmap is ten times slower to index
