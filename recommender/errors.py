"""Every way the mathematics can say no.

::

    RecommenderError
    ├── InvalidInputError (ValueError)    what was handed in cannot be used
    │   ├── InvalidIdError                an id that is empty, too long, or no text and no number
    │   ├── InvalidRatingError            a rating that is not finite, or not on the scale
    │   ├── InvalidOptionError            a hyper-parameter or an argument outside its range
    │   ├── TooFewRatingsError            nothing, or not enough, to learn from
    │   └── FileFormatError               a file that is not what it claims to be: where, why
    ├── UnknownIdError (KeyError)         an id that training never saw
    │   ├── UnknownUserError
    │   └── UnknownItemError
    ├── GenerationError                   a model on disk
    │   ├── GenerationNotFoundError       none there, or not that number
    │   ├── DamagedGenerationError        truncated, altered, not finite, not one of ours
    │   └── IncompatibleGenerationError   written in a format that this version does not read
    ├── DownloadError                     a data set could not be fetched, or is not the right one
    └── MissingExtraError                 a package that only some users need is not installed

Each message says what was found, where, what is allowed and, where it helps, what to do next.
Nothing here knows of HTTP; the service translates in ``app/problems.py``.
"""

from __future__ import annotations

from pathlib import Path


class RecommenderError(Exception):
    """The root of the family: catch this to catch all of it."""


class InvalidInputError(RecommenderError, ValueError):
    """What was handed in cannot be used as it is."""


class InvalidIdError(InvalidInputError):
    """A user or item id that is empty, too long, or neither text nor a whole number."""


class InvalidRatingError(InvalidInputError):
    """A rating that is not finite or not on the scale."""


class InvalidOptionError(InvalidInputError):
    """A hyper-parameter or an argument outside its range."""


class TooFewRatingsError(InvalidInputError):
    """There is nothing, or not enough, to learn from."""


class FileFormatError(InvalidInputError):
    """A file that is not what it claims to be.

    Parameters
    ----------
    path
        The file, or the archive with its member as ``archive.zip/member``.
    reason
        What was found and what is allowed.
    line
        The line it stands on, counted from 1; ``None`` when the whole file is meant.
    """

    def __init__(self, path: Path | str, reason: str, line: int | None = None) -> None:
        self.path = Path(path)
        self.reason = reason
        self.line = line
        where = f"{path}, line {line}" if line is not None else f"{path}"
        super().__init__(f"{where}: {reason}")

    def __reduce__(self) -> tuple[type[FileFormatError], tuple[Path, str, int | None]]:
        """Travel between processes whole: the default would hand on the message alone."""
        return (type(self), (self.path, self.reason, self.line))


class UnknownIdError(RecommenderError, KeyError):
    """An id that training never saw."""

    def __str__(self) -> str:
        """Return the sentence itself; ``KeyError`` would show its ``repr``."""
        return str(self.args[0]) if self.args else ""


class UnknownUserError(UnknownIdError):
    """A user that training never saw."""


class UnknownItemError(UnknownIdError):
    """An item that training never saw."""


class GenerationError(RecommenderError):
    """Something about a trained model on disk."""


class GenerationNotFoundError(GenerationError):
    """No generation there, or none of that number."""


class DamagedGenerationError(GenerationError):
    """A generation that is truncated, altered, not finite, or not one of ours."""


class IncompatibleGenerationError(GenerationError):
    """A generation in a format that this version does not read."""


class DownloadError(RecommenderError):
    """A data set could not be fetched, or is not the one that was expected."""


class MissingExtraError(RecommenderError):
    """A package that only some users need is not installed; the message says how to."""
