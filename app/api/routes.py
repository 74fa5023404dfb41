"""All rooms with a door to the outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.api import map as map_page
from app.api import models, movies, operations, pages, ratings, recommendations, users

if TYPE_CHECKING:
    from fastapi import APIRouter

ROUTERS: tuple[APIRouter, ...] = (
    recommendations.router,
    ratings.router,
    users.router,
    movies.router,
    map_page.router,
    models.router,
    operations.router,
    pages.router,
)
