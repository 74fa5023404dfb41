"""One table of settings: name, default and help; everyone reads it, nobody reads the environment.

Every field of :class:`Settings` is an environment variable with the prefix ``PROJECTIONIST_``
and a command-line option of the same name. They are read when :meth:`Settings.load` is called,
never on import. A variable that has the prefix and is none of these is an error, because a
misspelt setting that is silently ignored is found last.
"""

from __future__ import annotations

import difflib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from recommender.data.rating_scale import RatingScale

PREFIX = "PROJECTIONIST_"


class SettingsError(Exception):
    """The settings cannot be used: which one, what is allowed, what to do."""


def _comma_separated(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


class Settings(BaseSettings):
    """The settings of one server; immutable, handed from room to room.

    Examples
    --------
    >>> Settings.load(port=8080).port
    8080
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True
    )

    data_dir: Path = Field(Path("var"), description="Where the database and the models are kept.")
    host: str = Field(
        "127.0.0.1",
        min_length=1,
        description="Address to listen on. Anything but a loopback address needs API_KEY.",
    )
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    database_url: SecretStr | None = Field(
        None,
        description="Where ratings are stored: postgresql://USER:PASSWORD@HOST/NAME or "
        "sqlite:///FILE; a SQLite file in DATA_DIR when not set.",
    )
    api_key: SecretStr | None = Field(
        None,
        description="The key that clients send as 'Authorization: Bearer KEY'; none is needed "
        "on a loopback address.",
    )
    allowed_hosts: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_comma_separated)] = Field(
        (),
        description="Host names, comma-separated, that requests may be addressed to. Without a "
        "key the loopback names are always among them.",
    )
    models_dir: Path | None = Field(
        None, description="Where trained models are published; DATA_DIR/models when not set."
    )
    cache_dir: Path | None = Field(
        None, description="Where downloads are kept; the user's cache directory when not set."
    )
    rating_minimum: float = Field(0.5, description="The lowest rating that may be given.")
    rating_maximum: float = Field(5.0, description="The highest rating that may be given.")
    rating_step: float = Field(0.5, gt=0, description="The distance between allowed ratings.")
    model_poll_seconds: float = Field(
        1.0, ge=0.01, le=3600, description="How often to look for a newly published model."
    )
    train_every_seconds: int = Field(
        0,
        ge=0,
        le=366 * 86_400,
        description="Train again when the newest training is so old; 0 for never. `projectionist "
        "run` takes 86400, a day.",
    )
    train_after_changes: int = Field(
        0,
        ge=0,
        le=10**12,
        description="Train again when so many ratings were set, edited or deleted since the newest "
        "training; 0 for never. `projectionist run` takes 10000.",
    )
    train_memory_mib: int = Field(
        0,
        ge=0,
        le=2**31,
        description="A training that takes more memory than so many MiB is ended; 0 for no limit.",
    )
    gate_tolerance: float = Field(
        0.02,
        ge=0,
        le=1,
        description="A training is refused when the recipe that serves would have been better by "
        "more than this part of its NDCG@10, beyond the interval of the difference.",
    )
    gate_kept_share: float = Field(
        0.5,
        ge=0,
        le=1,
        description="A training is refused when less than this part is left of the users, of the "
        "movies or of the NDCG@10 that the model has that serves.",
    )
    keep_generations: int = Field(
        5,
        ge=1,
        le=1000,
        description="How many of the newest models stay on the disk; the one that serves, the one "
        "before it and the newest that was refused stay in any case.",
    )
    receive_seconds: float = Field(
        15.0, ge=0.1, le=3600, description="How long a request may take to arrive."
    )
    keep_alive_seconds: int = Field(
        15, ge=1, le=3600, description="How long an idle connection is kept."
    )
    shutdown_seconds: int = Field(
        20, ge=1, le=3600, description="How long requests may finish after a stop is asked for."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least severe log line that is written."
    )
    log_format: Literal["json", "plain"] = Field(
        "json", description="One JSON object a line, or text for people."
    )

    @field_validator("log_level", "log_format", mode="before")
    @classmethod
    def _lower_case(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @field_validator("api_key")
    @classmethod
    def _key_travels_in_a_header(cls, key: SecretStr | None) -> SecretStr | None:
        if key is None or not key.get_secret_value():
            return None
        text = key.get_secret_value()
        if not (text.isascii() and text.isprintable()) or " " in text:
            raise ValueError("only visible ASCII characters without spaces fit into a header")
        return key

    @model_validator(mode="after")
    def _scale_is_whole(self) -> Self:
        if self.rating_maximum not in self.scale:  # InvalidOptionError, a ValueError, if it is none
            raise ValueError(
                "RATING_MAXIMUM must be a whole number of RATING_STEP above the lowest"
            )
        return self

    @classmethod
    def load(cls, **overrides: Any) -> Self:
        """Read the environment; what is given here and is not ``None`` goes before it.

        Raises
        ------
        SettingsError
            Naming every setting that is unknown or not allowed, never its value.
        """
        refuse_unknown_variables(os.environ)
        given = {name: value for name, value in overrides.items() if value is not None}
        for name in given:
            if name not in cls.model_fields:
                raise SettingsError(_unknown(name, list(cls.model_fields)))
        try:
            return cls(**given)
        except ValidationError as error:
            raise SettingsError(_explain(error)) from None

    @property
    def scale(self) -> RatingScale:
        """The ratings that may be given."""
        return RatingScale(self.rating_minimum, self.rating_maximum, self.rating_step)

    @property
    def models_path(self) -> Path:
        """Where trained models are published."""
        return self.models_dir if self.models_dir is not None else self.data_dir / "models"

    @property
    def database(self) -> str | None:
        """The address of the database; ``None`` for the SQLite file in the data directory."""
        return None if self.database_url is None else self.database_url.get_secret_value()


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One line of the table: for ``--help``, the documentation and its test."""

    name: str
    variable: str
    default: str
    help: str


def settings_table() -> list[SettingRow]:
    """List every setting in the order of the class."""
    rows = []
    for name, field in Settings.model_fields.items():
        default = field.default
        shown = "" if default is None or default == () else str(default)
        rows.append(SettingRow(name, PREFIX + name.upper(), shown, field.description or ""))
    return rows


def refuse_unknown_variables(environment: Any) -> None:
    """Raise :class:`SettingsError` for a variable that has the prefix and is no setting."""
    known = [PREFIX + name.upper() for name in Settings.model_fields]
    for variable in sorted(environment):
        if variable.upper().startswith(PREFIX) and variable.upper() not in known:
            raise SettingsError(_unknown(variable, known))


def _unknown(name: str, known: list[str]) -> str:
    closest = difflib.get_close_matches(name, known, n=1, cutoff=0.0)
    return f"{name} is not a setting; the closest one is {closest[0]}"


def _explain(error: ValidationError) -> str:
    """Say what is wrong with which setting; pydantic's own text would show the value."""
    parts = []
    for item in error.errors(include_url=False, include_context=False, include_input=False):
        name = ".".join(str(part) for part in item["loc"][:1])
        where = f"{PREFIX}{name.upper()}: " if name else ""
        parts.append(where + item["msg"].removeprefix("Value error, "))
    return "; ".join(parts)
