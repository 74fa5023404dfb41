"""A shell for the commands, the program itself, and a folder with ratings to run it in."""

import sys

import pytest

from app.cli import main
from recommender.data.synthetic import Shape, planted_ratings


@pytest.fixture
def shell(monkeypatch, capsys, tmp_path):
    """Run a command in an empty folder; returns exit status, standard output and error."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["projectionist", *map(str, arguments)])
        try:
            main()
            status = 0
        except SystemExit as stopped:
            status = stopped.code or 0
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return status, captured.out, captured.err

    return run


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder with a planted world in it."""
    monkeypatch.chdir(tmp_path)
    world = planted_ratings(Shape(90, 50, 1800), 0, timestamps=True).to_frame()
    world.write_csv(tmp_path / "world.csv")
    return tmp_path
