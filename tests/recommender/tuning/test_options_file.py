"""The file of options: what was written is read, and what is not right is named."""

import math
import tomllib

import pytest

from recommender.errors import FileFormatError
from recommender.models.by_name import MODELS
from recommender.tuning import read_options, write_options

GOOD = 'model = "implicit-als"\n[options]\nfactors = 8\n'


@pytest.mark.parametrize("name", list(MODELS))
def test_what_is_written_is_read(name, tmp_path):
    path = tmp_path / "best.toml"
    options = {option.name: option.default for option in MODELS[name].options}
    if "threads" in options:
        options["threads"] = 3
    found = {"score": math.pi / 30, "data": 'a "quoted"\n\x7f ünïcode\\ file', "trials": 3,
             "first": True, "nothing": None, "tiny": 1e-7,
             "searched": ["a 1 to 2", "b'\""]}  # fmt: skip
    write_options(path, name, options, found)
    model, read = read_options(path)
    options.pop("threads", None)
    assert (model, read) == (name, options)
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    assert document["found"] == {k: v for k, v in found.items() if v is not None}
    assert [file.name for file in tmp_path.iterdir()] == ["best.toml"]


def test_a_file_is_replaced_as_a_whole_or_stays(tmp_path):
    path = tmp_path / "best.toml"
    write_options(path, "implicit-als", {"factors": 8}, {})
    with pytest.raises(KeyError):
        write_options(path, "no-model", {"factors": 9}, {})
    assert read_options(path)[1] == {"factors": 8}
    with pytest.raises(OSError, match="nothing was written"):
        write_options(tmp_path / "no folder" / "best.toml", "implicit-als", {}, {})
    assert [file.name for file in tmp_path.iterdir()] == ["best.toml"]


def test_written_by_hand_it_may_be_short(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text(GOOD + "regularization = 1\n")
    assert read_options(path) == ("implicit-als", {"factors": 8, "regularization": 1.0})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", r'names a model = "…" and has \[options\]'),
        ('model = "implicit-als"\n', "has .options"),
        ("[options]\nfactors = 8\n", "names a model"),
        ('model = "implicit_als"\n[options]\n', "model must be implicit-als or .*'implicit_als'"),
        ("model = 3\n[options]\n", "model must be"),
        ('model = "implicit-als"\noptions = 3\n', "options must be a table"),
        (GOOD + "regularisation = 0.1\n", "regularisation is no option.*mean regularization"),
        (GOOD.replace("implicit", "biased") + "unobserved_weight = 1.0\n", "no option of biased"),
        (GOOD.replace("8", "0"), "factors must be a whole number from 1 to 2048; found 0"),
        (GOOD.replace("8", '"8"'), "factors must be a whole number"),
        (GOOD + "epochs = nan\n", "epochs must be a whole number"),
        (GOOD + "[options.more]\n", "more is no option"),
        ("option = 3\n" + GOOD, "'option' is not known here; did you mean options"),
        ("format = 2\n" + GOOD, "has the format 2, and this version reads 1"),
        ('format = "1"\n' + GOOD, "format must be a whole number, such as format = 1; found '1'"),
        ("format = true\n" + GOOD, "format must be a whole number.*found True"),
        ("a = " + "[" * 5000, "cannot be read as TOML: brackets stand too deep"),
        (GOOD + "epochs = " + "9" * 5000, "cannot be read as TOML: a number is too long"),
        (GOOD + GOOD, "cannot be read as TOML: .*line 5"),
        (GOOD[:-4], "cannot be read as TOML"),
        (GOOD.encode() + b"\xff", "byte 45 is not UTF-8"),
        ("#" * 70_000, "70,000 bytes, which no options file has"),
        (b"PK\x03\x04\x00", "cannot be read as TOML|not UTF-8"),
    ],
)
def test_what_is_not_right_is_named(text, said, tmp_path):
    path = tmp_path / "bad.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(FileFormatError, match=said) as refused:
        read_options(path)
    assert str(refused.value).startswith(f"{path}: ")


def test_no_file(tmp_path):
    with pytest.raises(FileFormatError, match="no such file"):
        read_options(tmp_path / "none.toml")
    with pytest.raises(FileFormatError, match="is a folder"):
        read_options(tmp_path)
