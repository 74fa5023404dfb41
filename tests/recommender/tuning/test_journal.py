"""The study on disk: whatever is cut off, what was finished is there."""

import json

import pytest

from recommender.errors import FileFormatError, InvalidInputError
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
