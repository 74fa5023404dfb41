"""The options of models as options of a command: made from the tables of the models."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recommender.models.by_name import MODELS
from recommender.models.sizing import RANGES
from recommender.training import Recipe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from recommender.models.options import Option

_KINDS = {int: "INTEGER", float: "NUMBER", str: "WORD"}


def _every_option() -> dict[str, tuple[str, ...]]:
    """Return the name of every option of any model, with the models that have it."""
    found: dict[str, tuple[str, ...]] = {}
    for model in MODELS.values():
        for option in model.options:
            found[option.name] = (*found.get(option.name, ()), model.name)
    return found


EVERY_OPTION = _every_option()
"""All options by name, with the names of the models that have them."""


def options_in(recipe: Recipe, model: str) -> dict[str, Any]:
    """Return the options of a model in a recipe, by name; none when the model is not in it."""
    made = [each for each in (recipe.ranking, recipe.stars) if MODELS[model].has_made(each)]
    return made[0].options() if made else {}


def with_model_options(
    wanted: Mapping[str, Sequence[str]],
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command an option for some options of some models.

    The command's parameter ``given`` disappears from the command line; it becomes a dictionary of
    the options that were given, as numbers and words. Their ranges are for the model to check,
    which knows its own.

    Parameters
    ----------
    wanted
        By name of the option, the models that it is for: the help names them, each with what
        ``projectionist train`` takes when the option is not said.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(command, eval_str=True)
        own = [p for p in signature.parameters.values() if p.name != "given"]
        listed = {
            name: {model: MODELS[model].option(name) for model in models}
            for name, models in wanted.items()
        }
        flags = [_flag(name, of_models) for name, of_models in listed.items()]

        @functools.wraps(command)
        def called(**arguments: Any) -> None:
            texts = {name: arguments.pop(name) for name in listed}
            given = {n: _read(listed[n], text) for n, text in texts.items() if text is not None}
            command(given=given, **arguments)

        called.__signature__ = signature.replace(parameters=[*own, *flags])  # type: ignore[attr-defined]
        called.__annotations__ = {p.name: p.annotation for p in [*own, *flags]}
        return called

    return decorate


def _flag(name: str, of_models: dict[str, Option]) -> inspect.Parameter:
    flag = "--" + name.replace("_", "-")
    is_switch = all(option.kind is bool for option in of_models.values())
    option = typer.Option(
        f"{flag}/--no-{flag[2:]}" if is_switch else flag,
        help=_help(of_models),
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


def _help(of_models: dict[str, Option]) -> str:
    """Say what an option means; the same for several models, once."""
    said: dict[str, list[tuple[str, str]]] = {}
    for model, option in of_models.items():
        allowed = f"{option.allowed[0].upper()}{option.allowed[1:]}."
        text = option.meaning if option.kind is bool else f"{option.meaning} {allowed}"
        said.setdefault(text, []).append((model, _default(model, option)))
    if len(said) == 1:
        ((text, models),) = said.items()
        return f"{text} [{', '.join(f'{model} {default}' for model, default in models)}]"
    return " ".join(
        f"For {' and '.join(f'{model} [{default}]' for model, default in models)}: "
        f"{text[0].lower() if text[1:2].islower() else text[0]}{text[1:]}"
        for text, models in said.items()
    )


def _default(model: str, option: Option) -> str:
    """Say what ``projectionist train`` takes; the option's own where it trains no such model."""
    if option.name == "regularization" and model in RANGES:
        low, high = RANGES[model]
        return f"{low:g} to {high:g} by size"
    default = options_in(Recipe(), model).get(option.name, option.default)
    if isinstance(default, bool):
        return "on" if default else "off"
    return f"{default}"


def _read(of_models: dict[str, Option], text: Any) -> Any:
    """Return a number, or None, where some model wants one and it is one; else what was given."""
    if isinstance(text, bool):
        return text
    if text == "None" and any(option.optional for option in of_models.values()):
        return None
    if "_" in text or not text.isascii():
        return text  # Python reads 1_0 as 10, and digits of every script; the model refuses it
    kinds = {option.kind for option in of_models.values()}
    for kind in (int, float):
        if kind in kinds or (kind is int and float in kinds):
            try:
                return kind(text)
            except ValueError:
                continue
    return text
