"""The settings as options of commands: one table, read by the environment and by the shell."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.settings import PREFIX, Settings

if TYPE_CHECKING:
    from collections.abc import Callable

STORAGE = ("data_dir", "database_url", "models_dir")
"""What a command needs that reads or writes the data directory."""

TRAINING = ("train_memory_mib", "gate_tolerance", "gate_kept_share", "keep_generations")
"""What a training is held to."""

SCALE = ("rating_minimum", "rating_maximum", "rating_step")
"""Which ratings a command accepts."""

SECRETS = ("api_key",)
"""Settings that are no options: every user of a machine can see its command lines."""


def serving_settings() -> tuple[str, ...]:
    """List every setting that may be an option."""
    return tuple(name for name in Settings.model_fields if name not in SECRETS)


def with_settings(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command an option for each named setting.

    The command's parameter ``settings`` disappears from the command line; it is loaded from the
    environment, with the options before it, when the command is called.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(command, eval_str=True)
        own = [p for p in signature.parameters.values() if p.name != "settings"]
        options = [_option(name) for name in names]

        @functools.wraps(command)
        def called(**given: Any) -> None:
            overrides = {name: given.pop(name) for name in names}
            command(settings=Settings.load(**overrides), **given)

        called.__signature__ = signature.replace(parameters=[*own, *options])  # type: ignore[attr-defined]
        called.__annotations__ = {p.name: p.annotation for p in [*own, *options]}
        return called

    return decorate


def _option(name: str) -> inspect.Parameter:
    field = Settings.model_fields[name]
    flag = "--" + name.replace("_", "-")
    shown = "" if field.default in (None, ()) else f" [default: {field.default}]"
    option = typer.Option(
        flag,
        help=f"{field.description}{shown} [{PREFIX}{name.upper()}]",
        metavar=name.rsplit("_", 1)[-1].upper(),
        show_default=False,
        rich_help_panel="Settings",
    )
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[str | None, option],
    )
