"""Trainings in answers."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from app.api.schemas.fields import Answer


class Training(Answer):
    """One training, running or ended."""

    id: str
    state: Literal["running", "ended"]
    trigger: str = Field(description="request, command, schedule or changes.")
    phase: str
    progress: float = Field(ge=0, le=1)
    started_at: str
    ended_at: str | None
    seconds: float | None
    outcome: Literal["published", "refused", "failed", "cancelled"] | None
    generation: int | None = Field(description="The model that came of it, published or refused.")
    reason: str | None = Field(description="Why it was refused, failed or was cancelled.")
    metrics: dict[str, float]
    watermark: int | None


class Trainings(Answer):
    """The newest trainings, newest first."""

    trainings: list[Training]
