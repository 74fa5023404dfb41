"""``projectionist recommend``: one user's list, without a server."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from app.commands.options import STORAGE, with_settings
from app.commands.reporting import Reporter
from app.limits import LIMITS
from app.settings import Settings
from app.store import open_store
from recommender.errors import GenerationNotFoundError


@with_settings(*STORAGE)
def recommend(
    user_id: Annotated[str, typer.Argument(metavar="USER", help="The user's id.")],
    settings: Settings,
    n: Annotated[int, typer.Option("-n", "--n", min=1, max=LIMITS.n, help="How many movies.")] = 10,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Print what the current model recommends to a user, the newest ratings included."""
    answer = _recommend(settings, user_id, n)
    if json:
        Reporter(json).result(answer, "")
        return
    table = Table("", "Movie", "Year", "Genres", "Score", "Stars", box=None, pad_edge=False)
    for place, movie in enumerate(answer["movies"], start=1):
        stars = movie.get("predicted_rating")
        table.add_row(
            str(place),
            movie["title"],
            str(movie["year"] or ""),
            ", ".join(movie["genres"]),
            f"{movie['score']:.3f}",
            "" if stars is None else f"{stars:.1f}",
        )
    console = Console(highlight=False)
    if answer.get("fallback"):
        console.print(f"User {user_id!r} is not known; these are the most popular.", markup=False)
    console.print(table)


def _recommend(settings: Settings, user_id: str, n: int) -> dict[str, Any]:
    """Answer as the server would, from the same files."""
    # With it comes the web framework: no other command needs to wait for that.
    import orjson

    from app.serving.catalogue import Catalogue
    from app.serving.current import Current
    from app.serving.lists import for_user
    from app.serving.loader import Loader
    from app.serving.wanted import Wanted

    with open_store(settings.database, settings.data_dir, read_only=True) as store:
        current = Current(Catalogue(store.all_movies()))
        asyncio.run(Loader(current, store, settings.models_path).start())
    serving = current.serving
    if serving is None:
        reasons = "; ".join(current.refused.values()) or "train one with `projectionist train`"
        raise GenerationNotFoundError(f"there is no model in {settings.models_path}: {reasons}")
    body, _ = for_user(serving, user_id, Wanted(n, True, True, settings.scale))
    answer: dict[str, Any] = orjson.loads(orjson.dumps(body))
    return answer
