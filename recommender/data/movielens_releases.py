"""The MovieLens releases: where they are, how large, how to know them again, and their terms.

The checksums are those that GroupLens publishes beside each archive (``NAME.zip.md5``). The
release named *latest* is replaced from time to time, so none is fixed for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

ReleaseName = Literal["ml-latest-small", "ml-100k", "ml-1m", "ml-10m", "ml-20m", "ml-25m", "ml-32m"]
RELEASE_NAMES: tuple[str, ...] = get_args(ReleaseName)

BASE_URL = "https://files.grouplens.org/datasets/movielens/"

_CITATION = (
    "Cite: F. M. Harper and J. A. Konstan, The MovieLens Datasets: History and Context, "
    "ACM Transactions on Interactive Intelligent Systems 5(4), 2015, "
    "https://doi.org/10.1145/2827872."
)
_NOT_PASSED_ON = "not to be passed on without separate permission"
_SAME_TERMS = "to be passed on, if at all, only under the terms in its README"


@dataclass(frozen=True, slots=True)
class Release:
    """One MovieLens release.

    Attributes
    ----------
    name
        As in :data:`RELEASE_NAMES`; the archive is ``NAME.zip``.
    approximate_bytes
        The size of the archive as last seen; for estimates, never for verification.
    md5
        The published checksum; ``None`` where the archive changes over time.
    readme
        The file name of its README beside the archive.
    sharing
        What the README says about passing the data on, in our words.
    """

    name: ReleaseName
    approximate_bytes: int
    md5: str | None
    readme: str
    sharing: str

    @property
    def archive(self) -> str:
        """The file name of the archive."""
        return f"{self.name}.zip"

    @property
    def notice(self) -> str:
        """What whoever uses the data must know, in a few sentences."""
        return (
            f"{self.name} was collected by GroupLens at the University of Minnesota. It is for "
            f"research: no commercial use without their permission, no claim of their "
            f"endorsement, {self.sharing}. {_CITATION} Terms: {BASE_URL}{self.readme}"
        )


RELEASES: dict[str, Release] = {
    release.name: release
    for release in (
        Release("ml-latest-small", 978_202, None, "ml-latest-small-README.html", _SAME_TERMS),
        Release(
            "ml-100k",
            4_924_029,
            "0e33842e24a9c977be4e0107933c0723",
            "ml-100k-README.txt",
            _NOT_PASSED_ON,
        ),
        Release(
            "ml-1m",
            5_917_549,
            "c4d9eecfca2ab87c1945afe126590906",
            "ml-1m-README.txt",
            _NOT_PASSED_ON,
        ),
        Release(
            "ml-10m",
            65_566_137,
            "ce571fd55effeba0271552578f2648bd",
            "ml-10m-README.html",
            _NOT_PASSED_ON,
        ),
        Release(
            "ml-20m",
            198_702_078,
            "cd245b17a1ae2cc31bb14903e1204af3",
            "ml-20m-README.html",
            _NOT_PASSED_ON,
        ),
        Release(
            "ml-25m",
            261_978_986,
            "6b51fb2759a8657d3bfcbfc42b592ada",
            "ml-25m-README.html",
            _SAME_TERMS,
        ),
        Release(
            "ml-32m",
            238_950_008,
            "d472be332d4daa821edc399621853b57",
            "ml-32m-README.html",
            _SAME_TERMS,
        ),
    )
}
