"""Where the data that ships with Projectionist lies."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

from recommender.errors import FileFormatError, InvalidOptionError

BundledName = Literal["course", "demo"]

_PACKAGE = Path(__file__).resolve().parent.parent


def bundled_path(name: BundledName) -> Path:
    """Return the folder of a bundled data set.

    In a wheel it lies inside the package, in a checkout beside it, in ``data/``.

    Parameters
    ----------
    name
        ``"course"`` (the 4 x 5 example) or ``"demo"`` (films with simulated ratings).

    Raises
    ------
    InvalidOptionError
        For any other name.
    FileFormatError
        When the installation is incomplete.

    Examples
    --------
    >>> bundled_path("course").name
    'course'
    """
    if name not in get_args(BundledName):
        known = ", ".join(get_args(BundledName))
        raise InvalidOptionError(f"there is no bundled data set of that name; bundled are: {known}")
    places = (_PACKAGE / "bundled" / name, _PACKAGE.parent / "data" / name)
    for place in places:
        if place.is_dir():
            return place
    raise FileFormatError(
        places[0],
        f"the bundled data set {name!r} is missing here and at {places[1]}; "
        "install Projectionist again",
    )
