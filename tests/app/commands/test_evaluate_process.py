"""`projectionist evaluate` as a process: no reader, no room, stopped; the result is not lost."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = (sys.executable, "-c", "from app.cli import main; main()")
SHORT = ("evaluate", "--train", "world.csv", "--test", "asked.csv", "--protocol", "rating")
QUICK = (*SHORT, "--model", "biases")
LONG = (*SHORT, "--model", "bayesian-mf", "--samples", "100000")
SOME = (*SHORT, "--model", "bayesian-mf", "--samples", "1500")


@pytest.fixture
def work(folder):
    """A world, of which some other pairs are asked."""
    rows = [f"{user},{item},3" for user in range(20) for item in range(50, 60)]
    (folder / "asked.csv").write_text("\n".join(["user,item,rating", *rows]) + "\n")
    return folder


def starting(folder, *arguments, shell="", **streams):
    """Start the command, with what the shell is to do with its streams."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PROJECTIONIST_")}
    environment["PYTHONPATH"] = str(ROOT)
    return subprocess.Popen(
        ["bash", "-c", f'exec "$@" {shell}', "bash", *PROGRAM, *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        **({"stderr": subprocess.PIPE} | streams),
    )


def run(folder, *arguments, shell=""):
    process = starting(folder, *arguments, shell=shell)
    out, err = process.communicate(timeout=120)
    assert "Traceback" not in (err or "")
    assert "Exception ignored" not in (err or "")
    return process.returncode, out, err


def wait_for(folder, text, process):
    """Wait until it has said something."""
    until = time.monotonic() + 120
    while text not in (folder / "told").read_text():
        assert process.poll() is None, (folder / "told").read_text()
        assert time.monotonic() < until
        time.sleep(0.01)


class TestTheOutput:
    def test_a_place_that_takes_nothing_is_told_before_any_work(self, work):
        script = 'ulimit -f 0; exec "$@" 2>&1'
        done = subprocess.run(
            ["bash", "-c", script, "bash", *PROGRAM, *SOME, "--output", "report.json"],
            cwd=work, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
            timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 1
        assert done.stdout.startswith("projectionist: report.json: ")
        assert "nothing can be written there" in done.stdout
        assert done.stdout.count("\n") == 1
        assert not [path for path in work.iterdir() if path.name.startswith((".", "tmp"))]

    def test_a_place_that_has_gone_costs_the_file_and_not_the_result(self, work):
        (work / "results").mkdir()
        with (work / "told").open("w") as told:
            process = starting(
                work, *SOME, "--json", "--output", "results/report.json", stderr=told
            )
            wait_for(work, "training: ", process)
            shutil.rmtree(work / "results")
            out, _ = process.communicate(timeout=120)
        assert process.returncode == 1
        assert json.loads(out)["metrics"]["rmse"]["mean"] > 0
        last = (work / "told").read_text().splitlines()[-1]
        assert last.startswith("projectionist: results/report.json: ")


class TestNobodyReads:
    def test_without_standard_output_and_a_file_nothing_is_begun(self, work):
        status, _, err = run(work, *LONG, shell=">&-")
        assert status == 1
        assert err == (
            "projectionist: standard output is closed and there is no --output: the result would "
            "be lost\n"
        )

    def test_without_standard_output_the_file_is_written(self, work):
        status, _, err = run(work, *QUICK, "--output", "report.json", shell=">&-")
        assert status == 0, err
        assert json.loads((work / "report.json").read_text())["model"] == "biases"

    @pytest.mark.parametrize("json_too", [True, False])
    def test_what_standard_output_does_not_take_goes_to_standard_error(self, work, json_too):
        status, _, err = run(work, *QUICK, *["--json"] * json_too, shell=">/dev/full")
        assert status == 1
        assert err.splitlines()[-1].startswith("projectionist: standard output: No space left")
        told = err.splitlines()[-2] if json_too else err
        assert json.loads(told)["metrics"]["rmse"] if json_too else "\nrmse " in told

    @pytest.mark.parametrize("shell", ["2>&-", "2>/dev/full"])
    def test_progress_that_nobody_takes_stops_nothing(self, work, shell):
        status, out, _ = run(work, *QUICK, "--json", shell=shell)
        assert status == 0
        assert json.loads(out)["metrics"]["rmse"]["mean"] > 0

    def test_nor_does_a_reader_of_it_who_has_gone(self, work):
        gone, end = os.pipe()
        os.close(gone)
        process = starting(work, *QUICK, "--json", stderr=end)
        os.close(end)
        out, _ = process.communicate(timeout=120)
        assert process.returncode == 0
        assert json.loads(out)["metrics"]["rmse"]["mean"] > 0


def test_stopped_at_work_it_says_so(work):
    with (work / "told").open("w") as told:
        process = starting(work, *LONG, stderr=told)
        wait_for(work, "training: ", process)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    said = (work / "told").read_text()
    assert said.splitlines()[-1] == "projectionist: stopped"
    assert "Traceback" not in said


def test_a_log_has_few_lines_each_once(work):
    status, _, err = run(work, *SHORT, "--model", "bayesian-mf", "--samples", "300")
    assert status == 0
    lines = err.splitlines()
    assert len(lines) == len(set(lines)) <= 20
    assert sum(line.startswith("training: ") for line in lines) >= 2
    assert lines[-1].startswith("intervals: 1 of 1")
