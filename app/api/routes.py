"""All rooms with a door to the outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.api import (
    batch,
    erasures,
    exports,
    groups,
    imports,
    models,
    movies,
    operations,
    pages,
    ratings,
    recommendations,
    trace,
    trainings,
    users,
    what_if,
)
from app.api import map as map_page

if TYPE_CHECKING:
    from fastapi import APIRouter

ROUTERS: tuple[APIRouter, ...] = (
    recommendations.router,
    groups.router,
    what_if.router,
    batch.router,
    trace.router,
    ratings.router,
    users.router,
    erasures.router,
    movies.router,
    map_page.router,
    models.router,
    trainings.router,
    imports.router,
    exports.router,
    operations.router,
    pages.router,
)
