"""``projectionist download``: a MovieLens release into the cache, verified."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.filesize import decimal

from app.commands.options import with_settings
from app.commands.reporting import Reporter
from app.settings import Settings
from recommender.data.download import default_cache_dir
from recommender.data.download import download as fetch
from recommender.data.movielens_releases import RELEASE_NAMES, RELEASES
from recommender.errors import InvalidOptionError


@with_settings("cache_dir")
def download(
    name: Annotated[str, typer.Argument(help=f"One of {', '.join(RELEASE_NAMES)}.")],
    settings: Settings,
    base_url: Annotated[
        str | None, typer.Option(help="A mirror that holds NAME.zip and NAME.zip.md5.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Fetch a MovieLens data set for research, go on where a broken download stopped, verify it."""
    reporter = Reporter(json)
    if name not in RELEASES:
        raise InvalidOptionError(
            f"there is no data set {name!r} to fetch; known are: {', '.join(RELEASE_NAMES)}"
        )
    release = RELEASES[name]
    reporter.say(release.notice)
    reporter.say(f"{release.archive}: about {decimal(release.approximate_bytes)}")
    with reporter.progress() as step:
        path = fetch(
            name,
            cache_folder(settings),
            base_url=base_url,
            progress=lambda done, total: step(
                f"{name} (bytes)", done, total or release.approximate_bytes
            ),
        )
    reporter.result(
        {"name": name, "path": str(path), "bytes": path.stat().st_size, "notice": release.notice},
        f"{path}\nNext: projectionist import {path}",
    )


def cache_folder(settings: Settings) -> Path:
    """Return where downloads are kept: the setting, the user's cache, or its usual place."""
    if settings.cache_dir is not None:
        return settings.cache_dir
    shared = os.environ.get("XDG_CACHE_HOME", "")
    return Path(shared) / "projectionist" if Path(shared).is_absolute() else default_cache_dir()
