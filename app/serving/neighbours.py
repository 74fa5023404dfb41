"""Lists that belong to no user: the neighbours of a movie, and what most people rated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.serving.pipeline import most_popular, movie_line

if TYPE_CHECKING:
    from app.serving.current import Serving
    from recommender.arrays import Mask
    from recommender.models.nearness import Nearness


def model_block(serving: Serving) -> dict[str, Any]:
    """Return which model answered, for answers that no user's ratings go into."""
    manifest = serving.generation.manifest
    return {
        "generation": serving.number,
        "trained_at": manifest.trained_at,
        "fresh_ratings": 0,
    }


def similar(serving: Serving, movie_id: str, n: int, allowed: Mask, by: Nearness) -> dict[str, Any]:
    """Return the movies whose embeddings are nearest, by direction or by dot product.

    A movie that is newer than the model has no embedding yet, and so an empty list.
    """
    movies: list[dict[str, Any]] = []
    ranking = serving.generation.ranking
    if movie_id in ranking.items:
        ids, scores = ranking.similar_items(movie_id, n, mask=allowed, by=by)
        rows = ranking.items.rows(ids)
        movies = [
            {**movie_line(serving, row), "score": round(score, 6)}
            for row, score in zip(rows.tolist(), scores.tolist(), strict=True)
        ]
    return {"movie_id": movie_id, "model": model_block(serving), "movies": movies}


def popular(serving: Serving, n: int, allowed: Mask) -> dict[str, Any]:
    """Return the allowed movies with the most ratings."""
    rows, matched = most_popular(serving, n, allowed)
    movies = [
        {**movie_line(serving, row), "n_ratings": int(serving.n_ratings[row])}
        for row in rows.tolist()
    ]
    return {"model": model_block(serving), "matched": matched, "movies": movies}
