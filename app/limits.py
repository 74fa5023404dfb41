"""One table of limits.

Whatever a client can make grow has an upper bound, and each stands here: validation, the
OpenAPI document, the documentation and the tests read the same names. What files may hold too is
bounded where they are read, and taken from there. Nothing else of the service is imported here.
"""

from __future__ import annotations

from dataclasses import dataclass

from recommender.data.cells import LONGEST_TITLE
from recommender.data.vocabulary import MAXIMUM_ID_LENGTH

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True)
class Limits:
    """The upper bounds of one server; see :data:`LIMITS_HELP` for what each one bounds."""

    n: int = 500
    page: int = 500
    id_length: int = MAXIMUM_ID_LENGTH
    body_bytes: int = MIB
    bulk_body_bytes: int = 8 * MIB
    bulk_rows: int = 10_000
    import_bytes: int = 4 * 1024 * MIB
    upload_seconds: int = 60 * 60
    anonymous_ratings: int = 1_000
    group_users: int = 50
    batch_users: int = 10_000
    json_depth: int = 16
    title_length: int = LONGEST_TITLE
    genres: int = 50
    genre_length: int = 60
    attributes: int = 50
    attribute_name_length: int = 60
    attributes_bytes: int = 16 * KIB
    search_length: int = 200
    filter_length: int = 1_000
    cursor_length: int = 12_000
    url_bytes: int = 16 * KIB
    header_bytes: int = 32 * KIB
    clock_skew_seconds: int = 60
    idempotency_key_length: int = 255
    idempotency_keys: int = 10_000
    idempotency_seconds: int = 24 * 60 * 60
    fresh_ratings: int = 500_000
    problem_errors: int = 20
    problem_bytes: int = 4 * KIB


LIMITS = Limits()

LIMITS_HELP: dict[str, str] = {
    "n": "movies in one list of recommendations, neighbours or popular movies",
    "page": "entries on one page of a list",
    "id_length": "characters of a user or movie id",
    "body_bytes": "bytes of a request body",
    "bulk_body_bytes": "bytes of the body of POST /v1/ratings and POST /v1/recommendations/batch",
    "bulk_rows": "rows of POST /v1/ratings",
    "import_bytes": "bytes of the body of POST /v1/imports",
    "upload_seconds": (
        "seconds that the body of POST /v1/imports may take to arrive, as long as it keeps coming"
    ),
    "anonymous_ratings": (
        "ratings in POST /v1/recommendations, and to set or to remove in POST "
        "/v1/recommendations/what-if"
    ),
    "group_users": "users in POST /v1/recommendations/group",
    "batch_users": "users in POST /v1/recommendations/batch",
    "json_depth": "arrays and objects within each other in a request body",
    "title_length": "characters of a movie's title",
    "genres": "genres of a movie",
    "genre_length": "characters of a genre",
    "attributes": "attributes of a movie or user",
    "attribute_name_length": "characters of an attribute's name",
    "attributes_bytes": "bytes of all attributes of a movie or user, as JSON",
    "filter_length": "characters of a filter",
    "search_length": "characters of q",
    "cursor_length": "characters of cursor",
    "url_bytes": "bytes of the path and the query together",
    "header_bytes": "bytes of all request headers together",
    "clock_skew_seconds": "seconds that rated_at may lie in the future",
    "idempotency_key_length": "visible ASCII characters of Idempotency-Key",
    "idempotency_keys": "answers that are kept under an Idempotency-Key; older ones are forgotten",
    "idempotency_seconds": "seconds that an answer is kept under its Idempotency-Key",
    "fresh_ratings": (
        "changes newer than the model that are kept in memory; more are read from the database "
        "when their users ask"
    ),
    "problem_errors": "entries of errors in a problem",
    "problem_bytes": "bytes of a problem",
}
