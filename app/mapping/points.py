"""The points of a map as one buffer that a browser reads without parsing.

Little-endian, every part on an 8-byte boundary, ``n`` = users + movies (users first)::

    0    4  magic "MFMP"          12   4  u32 number of movies
    4    2  u16 version = 1       16  16  f32 × 4 bounds: left, bottom, right, top
    6    2  u16 flags = 0         32   4  u32 length of the JSON, padded with spaces
    8    4  u32 number of users   36   …  JSON: model, projection, version, genre_names, offsets

    f32[n] x · f32[n] y · u8[n] quality (255 = shown exactly) · u16[n] log-popularity
    · u32[n_movies] genres (bit i = genre_names[i])

``offsets`` in the JSON gives the start of each part, counted from the end of the JSON.
log-popularity is 1000·ln(1 + number of ratings).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np
import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from recommender.projection.biplot import Plane

MAGIC = b"MFMP"
VERSION = 1
HEADER = struct.Struct("<4sHHII4fI")
ALIGNMENT = 8
LOG_POPULARITY_SCALE = 1000
MAXIMUM_GENRES = 32


def encode_points(
    plane: Plane,
    user_counts: NDArray[np.int64],
    movie_counts: NDArray[np.int64],
    genre_masks: NDArray[np.uint32],
    described: Mapping[str, object],
) -> bytes:
    """Return the buffer; ``described`` goes into its JSON beside the offsets."""
    places = np.concatenate((plane.users, plane.items))
    quality = np.concatenate((plane.user_quality, plane.item_quality))
    popularity = LOG_POPULARITY_SCALE * np.log1p(np.concatenate((user_counts, movie_counts)))
    parts = {
        "x": places[:, 0].astype("<f4"),
        "y": places[:, 1].astype("<f4"),
        "quality": np.round(quality * 255).astype("u1"),
        "log_popularity": np.minimum(np.round(popularity), 65535).astype("<u2"),
        "genres": genre_masks.astype("<u4"),
    }
    offsets: dict[str, int] = {}
    body = bytearray()
    for name, part in parts.items():
        offsets[name] = len(body)
        body += part.tobytes()
        body += bytes(-len(body) % ALIGNMENT)
    words = orjson.dumps({**described, "offsets": offsets})
    words += b" " * (-(HEADER.size + len(words)) % ALIGNMENT)
    head = HEADER.pack(
        MAGIC, VERSION, 0, len(plane.users), len(plane.items), *bounds(places), len(words)
    )
    return head + words + bytes(body)


def bounds(places: NDArray[np.float32]) -> tuple[float, float, float, float]:
    """Return left, bottom, right and top of the points and the origin, which is always shown."""
    low = np.minimum(places.min(axis=0), 0)
    high = np.maximum(places.max(axis=0), 0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def name_genres(genres: Sequence[Sequence[str]]) -> tuple[list[str], NDArray[np.uint32]]:
    """Return the names of the genres and a mask of them for each movie.

    There are 32 bits; with more genres the rarest ones share the last, named ``other``.
    """
    counts: dict[str, int] = {}
    for names in genres:
        for name in set(names):
            counts[name] = counts.get(name, 0) + 1
    ranked = sorted(counts, key=lambda name: (-counts[name], name))
    if len(ranked) > MAXIMUM_GENRES:
        ranked = [*ranked[: MAXIMUM_GENRES - 1], "other"]
    bit = {name: 1 << place for place, name in enumerate(ranked)}
    other = 1 << (MAXIMUM_GENRES - 1)
    masks = np.zeros(len(genres), dtype=np.uint32)
    for movie, names in enumerate(genres):
        mask = 0
        for name in names:
            mask |= bit.get(name, other)
        masks[movie] = mask
    return ranked, masks
