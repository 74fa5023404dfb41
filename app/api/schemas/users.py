"""Users in answers."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict

from app.api.schemas.fields import Answer


class User(Answer):
    """A user."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"user_id": "42", "attributes": {"taste": "art house"}, "n_ratings": 31}]
        }
    )
    user_id: str
    attributes: dict[str, Any]
    n_ratings: int


class Users(Answer):
    """A page of users."""

    users: list[User]
    next_cursor: str | None
