"""The study on disk: whatever is cut off, what was finished is there."""

import json
import os
import stat
import subprocess
import sys
from dataclasses import replace

import pytest

from recommender.errors import FileFormatError, InvalidInputError
from recommender.tuning import tunable
from recommender.tuning.journal import Trial, open_journal

ABOUT = {"version": "1", "model": "implicit-als", "data": "abc", "space": ["factors: 1 to 2"]}
TRIALS = [
    Trial(0, {"factors": 1}, {"factors": 1, "epochs": 2}, "complete", 0.25, (), 0.5),
    Trial(1, {"factors": 2}, {"factors": 2, "epochs": 9}, "pruned", None, (0.1, 0.05), 0.1),
    Trial(2, {"factors": 2}, {"factors": 2, "epochs": 9}, "failed", None, (), 0.1, "the löss"),
]


@pytest.fixture
def study(tmp_path):
    path = tmp_path / "study.jsonl"
    with open_journal(path, ABOUT) as journal:
        for trial in TRIALS:
            journal.add(trial)
    return path


def trials_of(path, about=ABOUT):
    with open_journal(path, about) as journal:
        return journal.trials


def test_what_was_kept_is_there(study):
    assert trials_of(study) == TRIALS


def test_without_a_file_nothing_is_kept(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with open_journal(None, ABOUT) as journal:
        journal.add(TRIALS[0])
        assert journal.trials == TRIALS[:1]
    assert list(tmp_path.iterdir()) == []


def test_cut_off_anywhere_it_goes_on_from_the_last_whole_trial(study, tmp_path):
    whole = study.read_bytes()
    ends = [place + 1 for place, byte in enumerate(whole) if byte == ord("\n")]
    cut = tmp_path / "cut.jsonl"
    for length in range(len(whole) + 1):
        cut.write_bytes(whole[:length])
        kept = max(sum(end <= length for end in ends) - 1, 0)
        assert trials_of(cut) == TRIALS[:kept]
        with open_journal(cut, ABOUT) as journal:
            for trial in TRIALS[kept:]:
                journal.add(trial)
        assert cut.read_bytes() == whole


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("data", "xyz", "begun with other ratings: abc there, xyz here"),
        ("space", ["factors: 1 to 9"], "another range of options: factors: 1 to 2 there"),
        ("model", "biased-als", "another model"),
        ("version", "2", "another version of Projectionist"),
    ],
)
def test_a_study_of_something_else_is_refused_and_stays(study, name, value, said):
    before = study.read_bytes()
    with pytest.raises(InvalidInputError, match=said):
        trials_of(study, ABOUT | {name: value})
    assert study.read_bytes() == before


@pytest.mark.parametrize("content", [b"user,item,rating\n", b"{}\n", b"\0" * 9, b'{"kind": "x"}'])
def test_somebody_elses_file_is_refused_and_stays(content, tmp_path):
    path = tmp_path / "ratings.csv"
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match=r"ratings.csv: it is no study"):
        trials_of(path)
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda lines: [*lines[:2], b"{", *lines[3:]], "line 3: this study is damaged here"),
        (lambda lines: [*lines[:2], b"[]", *lines[3:]], "line 3: this study is damaged here"),
        (lambda lines: lines[:1] + lines[2:], "line 2: this is not trial 0"),
        (lambda lines: [*lines[:1], *lines[1:2], *lines[1:]], "line 3: this is not trial 1"),
        (lambda lines: [lines[0], b'{"number": 0}'], "line 2: this is not trial 0"),
        (lambda lines: [lines[0], lines[1].replace(b"complete", b"perfect")], "line 2: this is"),
        (lambda lines: [lines[0], lines[1].replace(b"0.25", b'"x"')], "line 2: this is not"),
        (lambda lines: [lines[0].replace(b'"format": 1', b'"format": 7')], "line 1: .*format 7"),
        (lambda lines: [lines[0][:-5]], "line 1: this study is damaged"),
    ],
)
def test_damage_is_named_with_its_line(study, change, said):
    study.write_bytes(b"\n".join(change(study.read_bytes().splitlines())) + b"\n")
    with pytest.raises(FileFormatError, match=said):
        trials_of(study)


SPACE = tunable("ease")
MADE = Trial(
    0,
    {"regularization": 30.0, "values": "ones"},
    {"regularization": 30.0, "values": "ones"},
    "complete",
    0.25,
    (0.1, 0.2),
    0.5,
)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"number": True}, "number cannot be 'True'"),
        ({"place": {}}, "place must have regularization, values; found nothing"),
        ({"place": "text"}, "place cannot be 'text'"),
        ({"place": [1, 2]}, "place cannot be"),
        ({"place": MADE.place | {"regularization": 1e9}}, "regularization: 1 to 10000 .log., can"),
        ({"place": MADE.place | {"regularization": True}}, "cannot be 'True'"),
        ({"place": MADE.place | {"values": "twos"}}, "values: ones or stars, cannot be 'twos'"),
        (
            {"place": MADE.place | {"more": 1}},
            "place must have regul.*; found regularization, values, more",
        ),
        ({"options": {}}, "options must have regularization, values; found nothing"),
        ({"options": MADE.options | {"regularization": -1}}, "regularization must be a number"),
        ({"options": None}, "options cannot be 'None'"),
        ({"score": float("nan")}, "score cannot be 'nan'"),
        ({"score": float("inf")}, "score cannot be 'inf'"),
        ({"score": None}, "score cannot be 'None'"),
        ({"state": "pruned"}, "score cannot be '0.25'"),
        ({"state": ["complete"]}, "state cannot be"),
        ({"watched": ["a"]}, "watched cannot be"),
        ({"watched": "ab"}, "watched cannot be"),
        ({"watched": 3}, "its entries are not those of a trial"),
        ({"watched": [float("nan")]}, "watched cannot be"),
        ({"seconds": -1.0}, "seconds cannot be '-1.0'"),
        ({"seconds": "1"}, "seconds cannot be '1'"),
        ({"reason": 1}, "reason cannot be '1'"),
        ({"more": 1}, "its entries are not those of a trial"),
    ],
)
def test_a_line_that_was_changed_is_named_with_its_line(tmp_path, change, said):
    path = tmp_path / "study.jsonl"

    def opened():
        return open_journal(path, ABOUT, lambda t: SPACE.check_trial(t.place, t.options))

    with opened() as journal:
        journal.add(MADE)
        journal.add(replace(MADE, number=1))
    with opened() as journal:
        assert len(journal.trials) == 2
    head, line, last = path.read_text().splitlines()
    before = "\n".join([head, json.dumps(json.loads(line) | change), last]) + "\n"
    path.write_text(before)
    wanted = rf"study.jsonl, line 2: this is not trial 0 of a study: .*{said}.*; begin another"
    with pytest.raises(FileFormatError, match=wanted), opened():
        pass
    assert path.read_text() == before


@pytest.mark.parametrize("line", ["[" * 100_000, '{"number": ' + "9" * 5000 + "}"])
def test_a_line_that_python_will_not_read_is_named(study, line):
    lines = study.read_text().splitlines()
    study.write_text("\n".join([lines[0], line, *lines[2:]]) + "\n")
    with pytest.raises(FileFormatError, match="line 2: this study is damaged here"):
        trials_of(study)


@pytest.mark.parametrize("what", ["/dev/zero", "/dev/full", "/dev/null", "pipe", "socket", "link"])
def test_what_has_no_end_is_no_study(tmp_path, what):
    """In a process of its own, with little memory and time: who reads it would never come back."""
    os.mkfifo(tmp_path / "pipe")
    os.mknod(tmp_path / "socket", stat.S_IFSOCK | 0o600)
    (tmp_path / "link").symlink_to("/dev/zero")
    script = f"""
import resource
from recommender.tuning.journal import open_journal
resource.setrlimit(resource.RLIMIT_AS, (8_000_000_000, 8_000_000_000))
try:
    with open_journal({str(tmp_path / what)!r}, {{}}):
        print("opened")
except Exception as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60
    )
    assert "it is no ordinary file; name another one (--study)" in done.stdout, done.stderr


def test_a_pipe_that_comes_after_the_look_is_refused_too(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setattr("pathlib.Path.exists", lambda _: False)
    with pytest.raises(FileFormatError, match="no ordinary file"):
        trials_of(tmp_path / "pipe")


def test_a_full_disk_is_told_with_the_name(study, monkeypatch):
    def full(_descriptor):
        raise OSError(28, "No space left on device")

    with open_journal(study, ABOUT) as journal:
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left on device; this trial is not") as caught:
            journal.add(TRIALS[0])
    assert caught.value.filename == str(study)


def test_two_at_once_are_refused(study):
    with (
        open_journal(study, ABOUT),
        pytest.raises(InvalidInputError, match="another process is at this study"),
        open_journal(study, ABOUT),
    ):
        pass
    assert trials_of(study) == TRIALS


def test_a_place_where_nothing_can_be_written(tmp_path):
    with pytest.raises(OSError, match="No such file") as refused:
        trials_of(tmp_path / "none" / "study.jsonl")
    assert refused.value.filename == str(tmp_path / "none" / "study.jsonl")
    with pytest.raises(IsADirectoryError):
        trials_of(tmp_path)


def test_every_line_is_json(study):
    lines = [json.loads(line) for line in study.read_text().splitlines()]
    assert lines[0]["data"] == "abc"
    assert [line["number"] for line in lines[1:]] == [0, 1, 2]
