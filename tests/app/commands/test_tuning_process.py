"""`projectionist tune` as a process: killed, asked to stop, twice at once, without its extra."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest

from recommender import load_generation
from recommender.tuning import read_options

ROOT = Path(__file__).resolve().parents[3]
FAST = ("--factors", "2-8", "--threads", "1")


def starting(folder, *arguments, before=""):
    """Start the command as a process, perhaps with something to be done before."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PROJECTIONIST_")}
    environment["PYTHONPATH"] = str(ROOT)
    script = f"{before}\nfrom app.cli import main\nmain()"
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def told(out):
    """What a search found, without what no two runs have in common."""
    return {k: v for k, v in json.loads(out).items() if k not in _OF_A_RUN}


_OF_A_RUN = {"seconds", "output", "study", "trials_before", "trial_seconds"}


class TestKilled:
    def test_killed_at_any_moment_it_goes_on_and_finds_the_same(self, folder):
        command = ("tune", "--train", "world.csv", *FAST, "--trials", 20, "--json")
        straight = starting(folder, *command, "--output", "whole.toml")
        whole, err = straight.communicate(timeout=120)
        assert straight.returncode == 0, err
        study = folder / "study.jsonl"
        resumed = (*command, "--study", "study.jsonl", "--output", "killed.toml")
        for lines in (1, 4, 9):
            process = starting(folder, *resumed)
            wait_for_lines(study, lines, process)
            process.send_signal(signal.SIGKILL)
            process.communicate(timeout=30)
            assert process.returncode == -signal.SIGKILL
        process = starting(folder, *resumed)
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        assert told(out) == told(whole)
        assert (folder / "killed.toml").read_text() == (folder / "whole.toml").read_text()
        assert len(study.read_text().splitlines()) == 21

    def test_killed_it_leaves_the_best_so_far(self, folder):
        process = starting(folder, "tune", "--train", "world.csv", *FAST, "--study", "s.jsonl")
        wait_for_lines(folder / "s.jsonl", 6, process)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=30)
        model, options = read_options(folder / "implicit-als.toml")
        trials = [json.loads(line) for line in (folder / "s.jsonl").read_text().splitlines()[1:6]]
        best = max(t["score"] for t in trials if t["score"] is not None)
        found = tomllib.loads((folder / "implicit-als.toml").read_text())["found"]
        assert model == "implicit-als"
        assert found["score"] >= best
        assert options["factors"] <= 8

    @pytest.mark.parametrize("study", [True, False])
    def test_asked_to_stop_it_says_what_there_is(self, folder, study):
        kept = ("--study", "s.jsonl") if study else ()
        process = starting(folder, "tune", "--train", "world.csv", *FAST, *kept)
        if study:
            wait_for_lines(folder / "s.jsonl", 6, process)
        else:
            wait_for_lines(folder / "implicit-als.toml", 5, process)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out) == (130, "")
        assert "Traceback" not in err
        said = re.fullmatch(
            r"projectionist: stopped after (\d+) trials?; the best so far is in implicit-als.toml; "
            r"(.*)",
            err.splitlines()[-1],
        )
        assert said is not None, err
        found = tomllib.loads((folder / "implicit-als.toml").read_text())["found"]
        assert found["trials"] == int(said[1])
        read_options(folder / "implicit-als.toml")
        if study:
            assert said[2] == "go on with --study s.jsonl"
            lines = (folder / "s.jsonl").read_bytes().count(b"\n")
            assert lines - 2 <= found["trials"] <= lines - 1
            again = starting(
                folder, "tune", "--train", "world.csv", *FAST, *kept, "--trials", lines
            )
            _, err = again.communicate(timeout=120)
            assert again.returncode == 0, err
        else:
            assert said[2] == "the next search begins anew, unless both have --study FILE"

    def test_stopped_while_it_imports_it_says_so(self, folder):
        """As if Ctrl+C came when Optuna was being loaded."""
        before = (
            "import sys\n"
            "class Stop:\n"
            "    def find_spec(self, name, path=None, target=None):\n"
            "        if name == 'optuna':\n"
            "            raise KeyboardInterrupt\n"
            "sys.meta_path.insert(0, Stop())\n"
        )
        process = starting(folder, "tune", "--train", "world.csv", before=before)
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out) == (130, "")
        assert err == "projectionist: stopped before the first trial was done\n"

    def test_two_at_one_study_are_refused(self, folder, shell):
        process = starting(folder, "tune", "--train", "world.csv", *FAST, "--study", "s.jsonl")
        try:
            wait_for_lines(folder / "s.jsonl", 2, process)
            command = ("tune", "--train", "world.csv", *FAST, "--study", "s.jsonl")
            status, _, err = shell(*command, "--output", "other.toml")
            assert status == 1
            assert "s.jsonl: another process is at this study" in err
        finally:
            process.kill()
            process.communicate(timeout=30)


def wait_for_lines(path, lines, process):
    until = time.monotonic() + 120
    while not path.exists() or path.read_bytes().count(b"\n") < lines:
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < until
        time.sleep(0.01)


class TestWithoutTheExtra:
    BLOCK = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "optuna":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Missing())
"""

    def test_it_says_what_to_install_before_it_reads_anything(self, folder):
        process = starting(folder, "tune", "--train", "none.csv", before=self.BLOCK)
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out) == (1, "")
        assert err == (
            "projectionist: tuning needs optuna, which is not installed: "
            "pip install 'projectionist[tune]'\n"
        )

    def test_everything_else_works(self, folder):
        (folder / "best.toml").write_text('model = "implicit-als"\n[options]\nfactors = 3\n')
        for command in (
            ("tune", "--help"),
            ("import", "world.csv"),
            ("train", "--options", "best.toml", "--no-evaluate"),
        ):
            process = starting(folder, *command, before=self.BLOCK)
            _, err = process.communicate(timeout=120)
            assert process.returncode == 0, err
        assert load_generation(folder / "var" / "models").ranking.n_factors == 3
