"""The options of all models as options of a command: made from the tables of the models."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recommender.models.by_name import MODELS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from recommender.models.options import Option

_KINDS = {int: "INTEGER", float: "NUMBER", str: "WORD"}


def with_model_options(
    defaults: Mapping[str, Mapping[str, Any]],
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command an option for each option of each model.

    The command's parameter ``given`` disappears from the command line; it becomes a dictionary of
    the options that were given, as numbers and words. Their ranges are for the model to check,
    which knows its own.

    Parameters
    ----------
    defaults
        By model and option, what the help says of the default; the option's own where it is not.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(command, eval_str=True)
        own = [p for p in signature.parameters.values() if p.name != "given"]
        listed = _listed()
        flags = [_flag(name, of_models, defaults) for name, of_models in listed.items()]

        @functools.wraps(command)
        def called(**arguments: Any) -> None:
            texts = {name: arguments.pop(name) for name in listed}
            given = {n: _read(listed[n], text) for n, text in texts.items() if text is not None}
            command(given=given, **arguments)

        called.__signature__ = signature.replace(parameters=[*own, *flags])  # type: ignore[attr-defined]
        called.__annotations__ = {p.name: p.annotation for p in [*own, *flags]}
        return called

    return decorate


def _listed() -> dict[str, dict[str, Option]]:
    """Return every option's name, with the models that have it and what it is there."""
    listed: dict[str, dict[str, Option]] = {}
    for model in MODELS.values():
        for option in model.options:
            listed.setdefault(option.name, {})[model.name] = option
    return listed


def _flag(
    name: str, of_models: dict[str, Option], defaults: Mapping[str, Mapping[str, Any]]
) -> inspect.Parameter:
    flag = "--" + name.replace("_", "-")
    is_switch = all(option.kind is bool for option in of_models.values())
    option = typer.Option(
        f"{flag}/--no-{flag[2:]}" if is_switch else flag,
        help=_help(of_models, defaults),
        metavar=None if is_switch else _metavar(of_models),
        show_default=False,
        rich_help_panel="Model",
    )
    kind: Any = bool if is_switch else str
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[kind | None, option],
    )


def _metavar(of_models: dict[str, Option]) -> str:
    kinds = {option.kind for option in of_models.values()}
    return _KINDS[kinds.pop()] if len(kinds) == 1 else "VALUE"


def _help(of_models: dict[str, Option], defaults: Mapping[str, Mapping[str, Any]]) -> str:
    """Say what an option means; the same for several models, once."""
    said: dict[str, list[str]] = {}
    for model, option in of_models.items():
        allowed = f"{option.allowed[0].upper()}{option.allowed[1:]}."
        text = option.meaning if option.kind is bool else f"{option.meaning} {allowed}"
        default = defaults.get(model, {}).get(option.name, option.default)
        said.setdefault(text, []).append(f"{model} {_shown(default)}")
    return " ".join(f"{text} [{', '.join(models)}]" for text, models in said.items())


def _shown(default: Any) -> str:
    if default is None:
        return "unset"
    if isinstance(default, bool):
        return "on" if default else "off"
    return f"{default}"


def _read(of_models: dict[str, Option], text: Any) -> Any:
    """Return a number where some model wants one and it is one; else what was given."""
    if isinstance(text, bool):
        return text
    kinds = {option.kind for option in of_models.values()}
    for kind in (int, float):
        if kind in kinds or (kind is int and float in kinds):
            try:
                return kind(text)
            except ValueError:
                continue
    return text
