"""Who takes part, and how workers are started and judged."""

import json
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.training import agreement, matrix, process_memory, programs
from benchmarks.training.launch import ROOT, launch
from benchmarks.training.programs import OURS, PROGRAMS, Program, Spec, chosen
from benchmarks.training.score import ndcg_at_10
from benchmarks.training.to_objective import follow, timed
from benchmarks.training.trainers import INIT_SCALE, start
from recommender.models.options import IMPLICIT_ALS
from recommender.models.starting import random_start

SLACK = 2**20  # the kernel counts pages for each core and adds them up late
CHOLESKY = next(p for p in PROGRAMS if p.label == "projectionist/cholesky")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("matrix")
    matrix.write(place, agreement.tiny())
    return place


def spec(folder, **others):
    given = Spec(
        "epochs", OURS, "cholesky", str(folder), factors=4, epochs=3, threads=1,
        regularization=0.01, unobserved_weight=0.1, frequency_scaling=1.0,
    )  # fmt: skip
    return replace(given, **others)


def test_programs_are_chosen_by_name_or_with_their_solver():
    assert [p.label for p in chosen(["implicit"], 64)] == ["implicit/cg", "implicit/cholesky"]
    assert [p.label for p in chosen(["irspack"], 64)] == ["irspack/cg", "irspack/cholesky"]
    assert "irspack/ialspp" in [p.label for p in chosen(["irspack"], 128)]
    assert [p.label for p in chosen(["irspack/ialspp", "irspack/ialspp"], 8)] == ["irspack/ialspp"]
    everybody = [p.name for p in PROGRAMS]
    assert chosen(everybody, 128) == list(PROGRAMS)
    with pytest.raises(ValueError, match="no program 'surprise'; there are implicit, "):
        chosen(["implicit", "surprise"], 64)


def test_our_solvers_are_those_that_there_are():
    (solver,) = [option for option in IMPLICIT_ALS if option.name == "solver"]
    assert {p.solver for p in PROGRAMS if p.name == OURS} == set(solver.choices)


def test_a_peer_is_measured_without_our_packages_in_memory():
    code = "import sys, benchmarks.training.worker; print(*sorted(sys.modules))"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert "numpy" in loaded
    assert not loaded & {"recommender", "numba", "polars", "implicit", "irspack"}


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("import sys; sys.exit(3)", "ended with the code 3 and no word"),
        ("raise ValueError('no such\\nthing | here')", "thing | here"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "for want of memory"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "ended by SIGSEGV"),
        (f"raise OSError('{ROOT}/benchmarks/x')", "OSError: benchmarks/x"),
        ("print('no result')", "printed no result but 'no result"),
    ],
)
def test_a_worker_that_fails_is_a_record(folder, code, error):
    found = launch(CHOLESKY, spec(folder), 60, (sys.executable, "-c", code))
    assert error in found["error"]
    assert "\n" not in found["error"]
    assert found["load_average"] >= 0


def test_a_worker_that_hangs_is_ended(folder):
    started = time.monotonic()
    command = (sys.executable, "-c", "import time; time.sleep(600)")
    assert launch(CHOLESKY, spec(folder), 0.5, command)["error"] == "not done after 0.5 s"
    assert time.monotonic() - started < 60


def test_a_worker_gets_its_surroundings_and_its_task(folder):
    code = (
        "import json, os, sys; print('chatter'); spec = json.load(sys.stdin);"
        "print(json.dumps({'blas': os.environ['OPENBLAS_NUM_THREADS'], 'spec': spec}))"
    )
    program = next(p for p in PROGRAMS if p.label == "implicit/cg")
    found = launch(program, spec(folder), 60, (sys.executable, "-c", code))
    assert found["blas"] == "1"
    assert Spec(**found["spec"]) == spec(folder)


def test_a_whole_training_in_its_own_process(folder):
    found = launch(CHOLESKY, spec(folder, score=True), 600)
    assert len(found["seconds"]) == 3
    assert 0 < sum(found["seconds"]) <= found["whole"]
    memory = found["memory"]
    assert 2**24 < memory["imported"] <= memory["loaded"] <= memory["peak"] + SLACK < 2**32
    assert 0 <= found["ndcg"] <= 1


def test_a_whole_way_to_an_objective_in_its_own_process(folder):
    given = spec(folder, part="objective", epochs=30)
    far = launch(CHOLESKY, given, 600)["objectives"]
    assert len(far) == 30
    found = launch(CHOLESKY, replace(given, target=far[3]), 600)
    assert found["objectives"] == pytest.approx(far[:4])
    assert found["reached"] <= far[3]
    assert len(found["seconds"]) == 4
    assert "memory" not in found, "it holds more than a training would"


def test_the_way_to_an_objective_takes_more_epochs_where_they_are_needed(folder):
    stored = matrix.load(folder)
    given = spec(folder, part="objective", epochs=30)
    _, losses = follow(given, stored)
    # Told to stop after one epoch, it must go on to reach what three epochs reach.
    watch, whole, (W, H), reached = timed(replace(given, target=losses[2]), stored, 1)
    assert 1 < len(watch.seconds) <= 3
    assert reached <= losses[2] < losses[0]
    assert sum(watch.seconds) <= whole
    assert (W.shape, H.shape) == ((60, 4), (40, 4))


def test_everybody_starts_where_ours_does(folder):
    given = spec(folder, factors=5, seed=7)
    assert (start(given, 11) == random_start(11, 5, 5, INIT_SCALE, 7)[:, :5]).all()


def test_programs_that_minimize_something_else_are_found_out():
    rows = [
        {"program": "a", "scaling": 0.0, "objective": 2.0},
        {"program": "b", "scaling": 0.0, "objective": 2.001},
        {"program": "a", "scaling": 1.0, "objective": 50.0},
        {"program": "c", "scaling": 0.0, "error": "not installed"},
    ]
    assert agreement.disagreement(rows) == pytest.approx(0.0005)
    assert agreement.disagreement(rows) > agreement.TOLERANCE
    assert agreement.disagreement(rows[1:]) == 0


def test_ours_comes_to_one_minimum_with_every_solver():
    ours = tuple(p for p in PROGRAMS if p.name == OURS)
    rows = agreement.minima(ours)
    assert not [row for row in rows if "error" in row]
    assert agreement.disagreement(rows) < agreement.TOLERANCE


def test_a_program_that_is_not_there_is_named():
    rows = agreement.minima((Program(OURS, "no_such_solver", "exact", (1.0,)),))
    assert "no_such_solver" in rows[0]["error"]


def test_scores_are_those_of_six_lines():
    stored = agreement.tiny()
    generator = np.random.default_rng(0)
    W, H = (generator.standard_normal((n, 3)).astype(np.float32) for n in (60, 40))
    gains = []
    for place, user in enumerate(stored.judges):
        scores = H @ W[user]
        scores[stored.indices[stored.indptr[user] : stored.indptr[user + 1]]] = -np.inf
        best = np.argsort(-scores)[:10]
        relevant = stored.held_indices[stored.held_indptr[place] : stored.held_indptr[place + 1]]
        discounts = 1 / np.log2(np.arange(2, 12))
        gain = discounts[np.isin(best, relevant)].sum()
        gains.append(gain / discounts[: len(relevant)].sum())
    assert ndcg_at_10(stored, W, H) == pytest.approx(np.mean(gains))


def test_memory_is_read_in_bytes():
    status = "Name:\tpython\nVmPeak:\t 999 kB\nVmHWM:\t  2048 kB\nVmRSS:\t  1024 kB\n"
    assert process_memory.parse(status, "VmHWM") == 2**21
    assert process_memory.parse(status, "VmRSS") == 2**20
    with pytest.raises(ValueError, match="no line VmSwap"):
        process_memory.parse(status, "VmSwap")
    with pytest.raises(ValueError, match="'MB'"):
        process_memory.parse("VmHWM: 3 MB", "VmHWM")


def test_the_peak_stays_when_memory_is_given_back():
    code = (
        "import numpy as np; from benchmarks.training import process_memory as m, programs;"
        "before = m.peak(); a = np.ones(1 << 25, np.uint8); held = m.resident(); del a;"
        "import json; print(json.dumps([before, held, m.resident(), m.peak()]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    before, held, after, peak = json.loads(done.stdout)
    assert peak + SLACK >= held > before + 2**24
    assert peak > after + 2**24


def test_kinds_are_those_that_tables_and_pictures_know():
    assert {p.kind for p in PROGRAMS} <= set(programs.Kind.__args__)
    assert len({p.label for p in PROGRAMS}) == len(PROGRAMS)
