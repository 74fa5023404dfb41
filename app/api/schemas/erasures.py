"""Erasures in answers."""

from pydantic import ConfigDict, Field

from app.api.schemas.fields import Answer

_RECEIPT = "9f86d081884c7d659a2feaa0c55ad015"


class Erasure(Answer):
    """A receipt for the erasure of a user."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "receipt": _RECEIPT,
                    "erased_at": "2026-11-23T10:00:00Z",
                    "version": 100838,
                    "ratings": 31,
                    "model_until": 7,
                }
            ]
        }
    )
    receipt: str = Field(description="Keep it: it does not name the user, and nothing else does.")
    erased_at: str
    version: int = Field(description="The version of this change, as for `Min-Version`.")
    ratings: int = Field(description="How many ratings went.")
    model_until: int | None = Field(
        description="The generation that serves and was trained with the user: it holds the "
        "vector, hidden, until the next training. `null` when it was trained without."
    )


class Place(Answer):
    """Somewhere that was looked into."""

    place: str = Field(description="`database`, `memory` or `generation N`.")
    holds: bool | None = Field(
        description="Whether something of before the erasure is there; `null`: cannot be read."
    )


class ErasureState(Answer):
    """What is left of a user who was erased."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "receipt": _RECEIPT,
                    "erased_at": "2026-11-23T10:00:00Z",
                    "version": 100838,
                    "ratings": 31,
                    "complete": False,
                    "places": [
                        {"place": "database", "holds": False},
                        {"place": "memory", "holds": False},
                        {"place": "generation 7", "holds": True},
                    ],
                    "out_of_reach": ["backups", "exports", "logs"],
                }
            ]
        }
    )
    receipt: str
    erased_at: str
    version: int
    ratings: int
    complete: bool = Field(description="Whether no place within reach holds anything.")
    places: list[Place]
    out_of_reach: list[str] = Field(description="Where copies may be that nobody here can see.")
