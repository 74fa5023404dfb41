"""The table of settings."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.settings import Settings, SettingsError, settings_table
from recommender.data.rating_scale import RatingScale

pytestmark = pytest.mark.usefixtures("no_settings")


def test_defaults():
    settings = Settings.load()
    assert settings.data_dir == Path("var")
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.api_key is None
    assert settings.database is None
    assert settings.models_path == Path("var/models")
    assert str(settings.scale) == "0.5 to 5 in steps of 0.5"


def test_the_environment_is_read_on_call(monkeypatch):
    monkeypatch.setenv("PROJECTIONIST_PORT", "9000")
    monkeypatch.setenv("PROJECTIONIST_ALLOWED_HOSTS", "a.example, b.example")
    monkeypatch.setenv("PROJECTIONIST_LOG_LEVEL", "WARNING")
    settings = Settings.load()
    assert settings.port == 9000
    assert settings.allowed_hosts == ("a.example", "b.example")
    assert settings.log_level == "warning"
    assert Settings.load(port=9001).port == 9001
    assert Settings.load(port=None).port == 9000
    monkeypatch.delenv("PROJECTIONIST_PORT")
    assert Settings.load().port == 8000


def test_empty_is_not_set(monkeypatch):
    """As compose files write it: ``API_KEY: ${API_KEY:-}``."""
    monkeypatch.setenv("PROJECTIONIST_API_KEY", "")
    assert Settings.load().api_key is None
    assert Settings.load(api_key="").api_key is None


@pytest.mark.parametrize(
    ("unknown", "closest"),
    [("APIKEY", "API_KEY"), ("DATADIR", "DATA_DIR"), ("PROT", "PORT"), ("MODEL_DIR", "MODELS_DIR")],
)
def test_an_unknown_variable_is_named_with_the_closest_known_one(monkeypatch, unknown, closest):
    monkeypatch.setenv(f"PROJECTIONIST_{unknown}", "secret-value")
    with pytest.raises(SettingsError) as refused:
        Settings.load()
    assert f"PROJECTIONIST_{unknown} " in str(refused.value)
    assert str(refused.value).endswith(f"PROJECTIONIST_{closest}")
    assert "secret-value" not in str(refused.value)


def test_an_unknown_override_is_an_error():
    with pytest.raises(SettingsError, match="prot is not a setting; the closest one is port"):
        Settings.load(prot=1)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "abc"),
        ("PORT", "65536"),
        ("API_KEY", "two words"),
        ("API_KEY", "schlüssel"),
        ("LOG_FORMAT", "xml"),
        ("RATING_STEP", "0"),
        ("RATING_STEP", "nan"),
        ("MODEL_POLL_SECONDS", "0"),
    ],
)
def test_a_bad_value_names_the_setting_and_not_the_value(monkeypatch, name, value):
    monkeypatch.setenv(f"PROJECTIONIST_{name}", value)
    with pytest.raises(SettingsError) as refused:
        Settings.load()
    assert f"PROJECTIONIST_{name}" in str(refused.value) or "rating scale" in str(refused.value)
    if name == "API_KEY":
        assert value not in str(refused.value)


@pytest.mark.parametrize("bounds", [(5, 5, 1), (5, 1, 1), (1, 5, 3), (1, math.inf, 1)])
def test_a_scale_must_be_one(bounds):
    minimum, maximum, step = bounds
    with pytest.raises(SettingsError):
        Settings.load(rating_minimum=minimum, rating_maximum=maximum, rating_step=step)


def test_secrets_do_not_show():
    settings = Settings.load(api_key="open-sesame", database_url="postgresql://u:pass@h/d")
    assert "open-sesame" not in repr(settings)
    assert "pass" not in repr(settings)


def test_every_setting_has_a_help_and_a_name():
    rows = settings_table()
    assert {row.name for row in rows} == set(Settings.model_fields)
    for row in rows:
        assert row.help.endswith(".")
        assert row.variable == f"PROJECTIONIST_{row.name.upper()}"
    assert next(row.default for row in rows if row.name == "data_dir") == "var"


@given(st.floats())
def test_the_scale_is_that_of_the_naive_list(rating):
    scale = RatingScale(0.5, 5.0, 0.5)
    steps = [0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5]
    near = any(abs(rating - step) <= 5e-7 for step in steps)
    assert (rating in scale) == (near and 0.5 <= rating <= 5)


def test_what_is_on_the_scale():
    scale = RatingScale(0.1, 1.0, 0.1)
    assert all(tenth / 10 in scale for tenth in range(1, 11))
    assert True not in scale
    assert "1" not in scale
    assert RatingScale(0.5, 5, 0.5).clip(7.3) == 5
    assert RatingScale(0.5, 5, 0.5).clip(3.14159) == 3.14
