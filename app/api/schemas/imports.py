"""Imports in answers."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from app.api.schemas.fields import Answer


class StoredCounts(Answer):
    """What an import changed."""

    users: int = Field(description="New users.")
    movies: int = Field(description="New movies.")
    ratings: int = Field(description="Ratings that are new or changed.")
    unchanged: int = Field(description="Ratings that were stored just so already.")
    version_from: int = Field(description="The newest version before.")
    version_to: int = Field(description="The newest version after.")


class Reason(Answer):
    """How often a column was bad for one reason."""

    file: str
    column: str | None
    found: str
    count: int


class BadRow(Answer):
    """One row that cannot be imported."""

    file: str
    line: int = Field(description="From 1, the header included; of Parquet the row.")
    column: str | None
    found: str = Field(description="What sort of value was found.")
    value: str | None = Field(description="The value, escaped and cut.")
    reason: str = Field(description="What was found, and what is allowed.")


class ImportLine(Answer):
    """How far an import is."""

    import_id: str
    state: Literal["queued", "running", "done", "failed"]
    source: str
    kind: Literal["ratings", "movies", "users"]
    mode: Literal["atomic", "skip"]
    dry_run: bool
    created_at: str
    started_at: str | None
    finished_at: str | None
    phase: str | None = Field(description="`checking` or `importing`.")
    progress: float | None = Field(description="Of what is stored so far, from 0 to 1.")
    rows: int = Field(description="Rows read so far.")
    bad: int = Field(description="Bad rows among them.")
    stored: StoredCounts | None
    reason: str | None = Field(description="Why it failed.")


class Import(ImportLine):
    """How far an import is, and what was wrong with the file."""

    model_config = ConfigDict(extra="forbid")
    reasons: list[Reason]
    errors: list[BadRow] = Field(description="The first 1,000 bad rows.")
    hints: list[str] = Field(description="What is probably wrong with the file as a whole.")


class Imports(Answer):
    """The newest imports, newest first."""

    imports: list[ImportLine]
