"""Users in answers."""

from typing import Any

from pydantic import ConfigDict, Field

from app.api.schemas.fields import Answer
from app.api.schemas.movies import MODEL_EXAMPLE, ModelBlock


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


class SimilarUser(Answer):
    """A neighbour."""

    user_id: str
    score: float = Field(
        description="The cosine of the two embeddings, -1 to 1; with `by=dot` their product."
    )
    n_ratings: int = Field(description="Ratings that the model was trained on.")


class SimilarUsers(Answer):
    """The nearest neighbours of a user, nearest first."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "user_id": "42",
                    "model": {**MODEL_EXAMPLE, "fresh_ratings": 1},
                    "users": [{"user_id": "7", "score": 0.98, "n_ratings": 31}],
                }
            ]
        }
    )
    user_id: str
    model: ModelBlock
    users: list[SimilarUser]
