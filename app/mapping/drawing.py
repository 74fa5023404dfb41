"""The answers of the map's addresses, made once for each model and projection."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import orjson

from app.mapping.points import LOG_POPULARITY_SCALE, bounds, encode_points, name_genres
from app.mapping.words import describe_fidelity, how_to_read
from recommender.projection.biplot import Plane, biplot, raw_axes
from recommender.projection.fidelity import measure_fidelity

if TYPE_CHECKING:
    from app.mapping.world import Projection, World

_SINGULAR_VALUES = 16  # as many as a reader may want to see fall


@dataclass(frozen=True, eq=False)
class Encoded:
    """The bytes of an answer, and the tag by which a client says that it has them."""

    content: bytes
    etag: str

    @classmethod
    def of(cls, content: bytes, *labels: str) -> Encoded:
        """Tag the content with labels and a digest."""
        digest = hashlib.blake2b(content, digest_size=8).hexdigest()
        return cls(content, '"' + "-".join((*labels, digest)) + '"')


@dataclass(frozen=True, eq=False)
class Picture:
    """One projection of one world."""

    meta: Encoded
    points: Encoded


@dataclass(frozen=True, eq=False)
class Lists:
    """What does not depend on the projection."""

    movies: Encoded
    user_ids: Encoded


def draw(world: World, projection: Projection) -> Picture:
    """Project a world, measure the fidelity and encode both answers."""
    users, movies = world.user_factors, world.movie_factors
    plane: Plane = biplot(users, movies) if projection == "scores" else raw_axes(users, movies)
    seen = (world.observed.indptr, world.observed.indices)
    names, masks = name_genres(world.genres)
    about = {"model": world.model, "projection": projection, "version": world.version}
    named = {**about, "genre_names": names}
    ends = world.axis_names if projection == "raw" and world.axis_names else ((None, None),) * 2
    meta = {
        **about,
        "generation": world.generation,
        "trained_at": world.trained_at,
        "projections": list(world.projections),
        "users": len(world.user_ids),
        "movies": len(world.movie_ids),
        "factors": users.shape[1],
        "centred": plane.centred,
        "bbox": bounds(np.concatenate((plane.users, plane.items))),
        "singular_values": plane.singular_values[:_SINGULAR_VALUES].tolist(),
        "axes": [
            {"share": share, "negative": negative, "positive": positive}
            for share, (negative, positive) in zip(plane.axis_shares, ends, strict=True)
        ],
        "fidelity": describe_fidelity(measure_fidelity(plane, users, movies, seen=seen)),
        "genre_names": names,
        "log_popularity_scale": LOG_POPULARITY_SCALE,
        "matrix": world.small,
        "notice": world.notice,
        "how_to_read": how_to_read(world, plane),
    }
    points = encode_points(plane, world.user_counts, world.movie_counts, masks, named)
    labels = (world.version, projection)
    return Picture(meta=Encoded.of(orjson.dumps(meta), *labels), points=Encoded.of(points, *labels))


def list_world(world: World) -> Lists:
    """Encode the ids and titles of a world."""
    names, masks = name_genres(world.genres)
    about = {"model": world.model, "version": world.version}
    movies = {
        **about,
        "movie_ids": list(world.movie_ids),
        "titles": list(world.titles),
        "years": list(world.years),
        "genre_names": names,
        "genres": masks.tolist(),
        "n_ratings": world.movie_counts.tolist(),
        "available": list(world.available),
    }
    users = {
        **about,
        "user_ids": list(world.user_ids),
        "n_ratings": world.user_counts.tolist(),
    }
    return Lists(
        movies=Encoded.of(orjson.dumps(movies), world.version),
        user_ids=Encoded.of(orjson.dumps(users), world.version),
    )


def tabulate(world: World) -> Encoded:
    """Encode a small world as vectors, products and what was observed.

    Products are float64, unrounded, of the vectors beside them.
    """
    users = world.user_factors.astype(np.float64)
    movies = world.movie_factors.astype(np.float64)
    table = {
        "model": world.model,
        "version": world.version,
        "user_ids": list(world.user_ids),
        "movie_ids": list(world.movie_ids),
        "titles": list(world.titles),
        "user_vectors": users.tolist(),
        "movie_vectors": movies.tolist(),
        "products": (users @ movies.T).tolist(),
        "observed": world.observed.table(len(world.movie_ids)),
        "ticks": world.observed.ticks,
    }
    return Encoded.of(orjson.dumps(table), world.version)
