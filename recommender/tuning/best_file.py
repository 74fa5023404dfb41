"""The file that has the best options at every moment of a search, and nobody else's work."""

from __future__ import annotations

import errno
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from recommender.data.whole_file import write_whole
from recommender.tuning.findings import findings_of
from recommender.tuning.options_file import options_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from recommender.tuning.findings import Findings

_LONGEST = 1 << 16


@dataclass(eq=False)
class BestFile:
    """The best options of a search on disk.

    A file of that name is replaced where that was allowed; else only while its content is, to the
    byte, what this search has written.

    Attributes
    ----------
    path
        The file.
    model
        A name of :data:`recommender.models.by_name.MODELS`.
    about
        What ``[found]`` says besides the scores.
    larger_is_better
        Of the scores.
    replace
        Whether a file may be replaced whatever it holds.
    """

    path: Path
    model: str
    about: Mapping[str, Any]
    larger_is_better: bool
    replace: bool = False

    def __post_init__(self) -> None:
        self.written: bytes | None = None

    def go_on(self, found: Findings | None) -> None:
        """Take up the file of an earlier run, before the first trial of this one.

        Parameters
        ----------
        found
            What the study has found so far.

        Raises
        ------
        FileExistsError
            When there is a file that this study has not written after any of its trials.
        """
        there = self._content()
        if there is None or self.replace:
            return
        count = re.search(rb"^trials = ([0-9]{1,9})$", there, re.MULTILINE)
        if found is not None and count is not None:
            trials = found.trials[: int(count[1])]
            then = findings_of(trials, self.larger_is_better)
            if then is not None and there == self._wanted(then):
                self.written = there
                return
        raise FileExistsError(
            errno.EEXIST,
            "it is not as this study wrote it: changed by hand, or of another search; it is "
            "replaced only when told to (--force); else name another --output",
            str(self.path),
        )

    def write(self, found: Findings) -> None:
        """Write the best options.

        Raises
        ------
        FileExistsError
            When somebody else has written the file since this search began.
        OSError
            When the disk refuses; the file stays as it was.
        """
        if not self.replace and self._content() not in (None, self.written):
            raise FileExistsError(
                errno.EEXIST,
                "somebody else has written it since this search began; it stays as it is",
                str(self.path),
            )
        content = self._wanted(found)
        write_whole(self.path, content)
        self.written = content

    def _wanted(self, found: Findings) -> bytes:
        return options_file(self.model, found.best.options, {**self.about, **found.scores()})

    def _content(self) -> bytes | None:
        """Return what is on disk, of a large file its beginning; ``None`` without a file."""
        try:
            with self.path.open("rb") as stream:
                return stream.read(_LONGEST)
        except FileNotFoundError:
            return None
