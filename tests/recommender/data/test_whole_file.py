"""Small files: whole under their name or not there, and refused before the work."""

import os
from pathlib import Path

import pytest

from recommender.data.whole_file import refuse_taken, write_whole


def test_it_is_written_and_replaced(tmp_path):
    path = tmp_path / "report.json"
    for content in (b"first", b"second"):
        write_whole(path, content)
        assert path.read_bytes() == content
    assert path.stat().st_mode & 0o777 == 0o644
    assert [file.name for file in tmp_path.iterdir()] == ["report.json"]


@pytest.mark.parametrize("raised", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_what_was_there_stays_when_the_disk_refuses(tmp_path, monkeypatch, raised):
    path = tmp_path / "report.json"
    path.write_bytes(b"before")

    def full(_descriptor):
        raise raised

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(type(raised)) as caught:
        write_whole(path, b"after")
    if isinstance(raised, OSError):
        assert caught.value.filename == str(path)
        assert "No space left on device; nothing was written" in str(caught.value)
    assert path.read_bytes() == b"before"
    assert [file.name for file in tmp_path.iterdir()] == ["report.json"]


def test_a_name_that_nothing_can_be_written_under_is_refused(tmp_path):
    taken, link = tmp_path / "taken", tmp_path / "link"
    taken.write_bytes(b"mine")
    link.symlink_to("nowhere")
    for path in (taken, link):
        with pytest.raises(FileExistsError, match="replaced only when told to") as caught:
            refuse_taken(path, replace=False)
        assert caught.value.filename == str(path)
        refuse_taken(path, replace=True)
    with pytest.raises(IsADirectoryError, match="this is a folder"):
        refuse_taken(tmp_path, replace=True)
    for folder in ("absent", "taken"):
        with pytest.raises(FileNotFoundError, match="its folder does not exist"):
            refuse_taken(tmp_path / folder / "file", replace=True)
    refuse_taken(tmp_path / "new", replace=False)


def test_a_folder_that_takes_no_files_is_refused_whoever_we_are():
    # Root may write wherever rights alone forbid it; below /proc nobody may.
    with pytest.raises(OSError, match="its folder takes no files") as caught:
        refuse_taken(Path("/proc/new"), replace=False)
    assert caught.value.filename == "/proc/new"


def test_what_is_no_ordinary_file_stays(tmp_path):
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to("/dev/null")
    for path in (pipe, link):
        with pytest.raises(OSError, match="no ordinary file"):
            refuse_taken(path, replace=True)
    assert pipe.is_fifo()


def test_asking_leaves_nothing(tmp_path):
    refuse_taken(tmp_path / "new", replace=False)
    assert list(tmp_path.iterdir()) == []
