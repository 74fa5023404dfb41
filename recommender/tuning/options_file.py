"""The best options as a small TOML file: written by a search, read by a training."""

from __future__ import annotations

import difflib
import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recommender.data.sources import file_source
from recommender.data.whole_file import write_whole
from recommender.errors import FileFormatError, InvalidOptionError
from recommender.models.by_name import MODELS, NamedModel
from recommender.tuning.space import told

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FORMAT = 1

_HEAD = (
    "# Options found by `projectionist tune`. Read by `train --options FILE` and "
    "`evaluate --options FILE`.\n"
    "# What counts is the model and its [options]; [found] says where they come from.\n"
)
_LONGEST = 1 << 16
_KEYS = ("format", "model", "options", "found")


def options_file(model: str, options: Mapping[str, Any], found: Mapping[str, Any]) -> bytes:
    """Return the content of a file of options.

    Parameters
    ----------
    model
        A name of :data:`recommender.models.by_name.MODELS`.
    options
        By name; those of the machine (threads) are left out.
    found
        Text, numbers, booleans and lists of them that say where the options come from: score,
        data, seed, …
    """
    names = told(MODELS[model].options)
    lines = [f"format = {FORMAT}", f"model = {_toml(model)}", "", "[options]"]
    lines += [f"{name} = {_toml(options[name])}" for name in names if name in options]
    lines += ["", "[found]"]
    lines += [f"{name} = {_toml(value)}" for name, value in found.items() if value is not None]
    return (_HEAD + "\n" + "\n".join(lines) + "\n").encode()


def write_options(
    path: Path | str, model: str, options: Mapping[str, Any], found: Mapping[str, Any]
) -> None:
    """Write an :func:`options_file`, whole or not at all; a file of that name is replaced.

    Raises
    ------
    OSError
        When the disk refuses; it names ``path``, and nothing is left behind.
    """
    write_whole(Path(path), options_file(model, options, found))


def read_options(path: Path | str) -> tuple[str, dict[str, Any]]:
    """Read what :func:`write_options` has written, or somebody by hand.

    Parameters
    ----------
    path
        A TOML file with ``model`` and a table ``[options]``; options that are not in it are left
        to whoever trains.

    Returns
    -------
    The name of the model, and its options, each checked against the model's own table.

    Raises
    ------
    FileFormatError
        When there is no such file, it is no TOML, the model or an option is unknown, or a value
        is out of range.
    """
    document = _parsed(Path(path))
    for key in document:
        if key not in _KEYS:
            raise FileFormatError(path, f"{key!r} is not known here;{_closest(key, _KEYS)}")
    if "model" not in document or "options" not in document:
        raise FileFormatError(path, 'an options file names a model = "…" and has [options]')
    _check_format(path, document.get("format", FORMAT))
    model, options = document["model"], document["options"]
    if not isinstance(model, str) or model not in MODELS:
        raise FileFormatError(path, f"model must be {' or '.join(MODELS)}; found {model!r}")
    if not isinstance(options, dict):
        raise FileFormatError(path, f"options must be a table, [options]; found {options!r}")
    return model, _checked(path, MODELS[model], options)


def _parsed(path: Path) -> dict[str, Any]:
    source = file_source(path)
    if source.size > _LONGEST:
        raise FileFormatError(
            path, f"it has {source.size:,} bytes, which no options file has; expected: TOML"
        )
    try:
        return tomllib.loads(source.head(_LONGEST).decode("utf-8"))
    except UnicodeDecodeError as error:
        raise FileFormatError(
            path, f"byte {error.start} is not UTF-8; an options file is TOML, which is text"
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise FileFormatError(path, f"it cannot be read as TOML: {error}") from None
    except RecursionError:
        raise FileFormatError(path, "it cannot be read as TOML: brackets stand too deep") from None
    except ValueError:  # what Python says when it is not to read thousands of digits
        raise FileFormatError(path, "it cannot be read as TOML: a number is too long") from None


def _check_format(path: Path | str, found: Any) -> None:
    if type(found) is not int:  # True is no format, though it equals 1
        raise FileFormatError(
            path, f"format must be a whole number, such as format = {FORMAT}; found {found!r}"
        )
    if found != FORMAT:
        raise FileFormatError(
            path,
            f"it has the format {found!r}, and this version reads {FORMAT}; "
            "run `projectionist tune` again",
        )


def _checked(path: Path | str, named: NamedModel, options: dict[str, Any]) -> dict[str, Any]:
    known = {option.name: option for option in named.options}
    checked = {}
    for name, value in options.items():
        if name not in known:
            raise FileFormatError(
                path,
                f"[options] {name} is no option of {named.name};{_closest(name, known)}",
            )
        try:
            checked[name] = known[name].check(value)
        except InvalidOptionError as error:
            raise FileFormatError(path, f"[options] {error}") from None
    return checked


def _closest(name: str, known: Iterable[str]) -> str:
    names = list(known)
    close = difflib.get_close_matches(name, names, n=1)
    hint = f" did you mean {close[0]}?" if close else ""
    return f"{hint} Known are: {', '.join(names)}"


def _toml(value: Any) -> str:
    if isinstance(value, str):
        # JSON's strings are TOML's, but for DEL, which TOML wants escaped.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_toml, value))}]"
    return str(value).lower() if isinstance(value, bool) else repr(value)
