"""Models, health and version in answers."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from app.api.schemas.fields import Answer


class Model(Answer):
    """One generation, as its manifest tells it."""

    generation: int
    state: Literal["current", "kept", "refused", "damaged"] = Field(
        description="current: it answers; refused: by the gate; damaged: it cannot be served."
    )
    reason: str | None = Field(description="Why it is refused or damaged.")
    trained_at: str | None
    watermark: int | None = Field(description="The version of the newest rating that it has seen.")
    metrics: dict[str, float | None]
    options: dict[str, Any]
    tuned: bool = Field(description="Whether somebody chose its options.")
    parent: int | None
    note: str | None
    size_bytes: int


class RefusedModel(Answer):
    """A generation that cannot be read, or that was published and could not be taken up."""

    generation: int | None
    reason: str


class Models(Answer):
    """All generations on disk, newest first."""

    serving: int | None
    models: list[Model]
    refused: list[RefusedModel]


class Alive(Answer):
    """The process answers."""

    status: Literal["ok"]


class Ready(Answer):
    """Whether recommendations can be given, and whether ratings can be stored."""

    status: Literal["ready"]
    generation: int
    store: Literal["ok", "read-only", "unavailable"]
    notes: list[str]


class Version(Answer):
    """Which program, and which model it serves."""

    name: Literal["projectionist"]
    version: str
    generation: int | None


class Notice(Answer):
    """What must be said wherever the data is shown."""

    notice: str | None


class ProblemDescription(Answer):
    """What one type of problem means."""

    type: str
    title: str
    status: int
    detail: str
