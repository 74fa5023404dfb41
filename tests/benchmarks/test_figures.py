"""From records to figures."""

import pytest

from benchmarks.training.figures import (
    Spread,
    arrival,
    beyond_bytes,
    compare,
    epoch_seconds,
    error,
    ndcg,
    peak_bytes,
    target,
)
from benchmarks.training.results import Results, newest, those

from .records import MIB, failed, followed, session, timed


def test_the_first_epoch_of_every_run_does_not_count():
    runs = [
        timed("implicit", "cg", "approximate", [99.0, 1.0, 2.0]),
        timed("implicit", "cg", "approximate", [98.0, 3.0, 7.0], run=1),
        failed(timed("implicit", "cg", "approximate", [], run=2), "no memory"),
    ]
    assert epoch_seconds(runs) == Spread(2.5, 1.0, 7.0)
    assert error(runs) == "no memory"
    assert epoch_seconds([timed("implicit", "cg", "approximate", [99.0])]) is None


def test_memory_is_counted_whole_and_without_what_was_there_before():
    runs = [timed("irspack", "cg", "approximate", [1.0], peak=p) for p in (100, 130, 110)]
    assert peak_bytes(runs) == Spread(110 * MIB, 100 * MIB, 130 * MIB)
    assert beyond_bytes(runs) == Spread(70 * MIB, 60 * MIB, 90 * MIB)
    assert peak_bytes([]) is None


def test_the_score_is_that_of_the_run_that_has_one():
    first = timed("irspack", "cg", "approximate", [1.0])
    assert ndcg([first, first | {"ndcg": 0.25}]) == 0.25
    assert ndcg([first]) is None


def test_the_fastest_peer_sets_the_target():
    slow = followed("implicit", "cholesky", "exact", [3.0, 3.0], [9.0, 5.0])
    fast = followed("irspack", "cg", "approximate", [1.0, 2.0], [9.5, 6.0])
    ours = followed("projectionist", "cg", "approximate", [0.1, 0.1], [9.0, 8.0])
    later = fast | {"run": 1, "seconds": [0.1, 0.1], "objectives": [9.5, 1.0]}
    crashed = failed(dict(fast), "no") | {"program": "implicit"}
    goal = target([slow, fast, ours, later, crashed])
    assert (goal.program, goal.solver, goal.objective) == ("irspack", "cg", 6.0)
    assert goal.epochs == 2
    assert target([ours]) is None


def test_a_peer_arrives_with_the_first_epoch_that_is_low_enough():
    runs = [
        followed("implicit", "cg", "approximate", [1.0, 2.0, 4.0], [9.0, 6.0, 5.0]),
        followed("implicit", "cg", "approximate", [2.0, 2.0, 4.0], [9.0, 6.0, 5.0], run=1),
    ]
    there = arrival(runs, 6.0)
    assert there.epochs == 2
    assert there.seconds == Spread(3.5, 3.0, 4.0)
    # Two seconds of preparation count, the third epoch does not.
    assert there.whole == Spread(5.5, 5.0, 6.0)
    assert arrival(runs, 4.9) is None
    assert arrival(runs, 6.0 * (1 - 2e-6)) == there, "the rounding of another run is no delay"
    assert arrival(runs, 6.0 * (1 - 1e-4)).epochs == 3


def test_ours_arrives_when_its_training_ends_low_enough():
    run = followed("projectionist", "cholesky", "exact", [1.0, 1.0], [9.0, 6.0])
    run |= {"reached": 5.9, "whole": 2.7}
    there = arrival([run], 6.0)
    assert (there.epochs, there.seconds.median, there.whole.median) == (2, 2.0, 2.7)
    assert arrival([run], 5.0) is None


def test_ours_is_compared_with_the_better_peer_of_its_kind():
    records = [
        timed("projectionist", "cholesky", "exact", [9.0, 1.0], peak=120),
        timed("projectionist", "conjugate_gradient", "approximate", [9.0, 0.5], peak=80),
        timed("implicit", "cholesky", "exact", [9.0, 8.0], peak=240),
        timed("implicit", "cg", "approximate", [9.0, 2.0], peak=240),
        timed("irspack", "cholesky", "exact", [9.0, 4.0], peak=400),
    ]
    found = compare(records)
    assert found.epochs == {"exact": 0.25, "approximate": 0.25}
    assert found.memory == 0.5, "our hungriest over the leanest"
    assert found.beyond == pytest.approx(80 / 200)
    alone = compare(records[:1])
    assert (alone.epochs, alone.memory, alone.beyond) == ({}, None, None)


def test_what_a_later_session_measured_again_replaces_it(tmp_path):
    results = Results(tmp_path / "results")
    assert results.records() == results.sessions() == []
    old = timed("implicit", "cg", "approximate", [1.0, 5.0])
    kept = timed("irspack", "cg", "approximate", [1.0, 6.0])
    new = old | {"session": "2026-02-01T00:00:00Z", "seconds": [1.0, 4.0]}
    other = old | {"session": "2026-02-01T00:00:00Z", "factors": 16}
    memory = old | {"part": "memory"}
    for record in (old, kept, new, new | {"run": 1}, old | {"run": 1}, other, memory):
        results.add(record)
    results.add_session(session("2026-02-01T00:00:00Z"))
    results.add_session(session())
    found = results.records()
    assert found == [kept, new, new | {"run": 1}, other, memory]
    assert [s["session"][:7] for s in results.sessions()] == ["2026-01", "2026-02"]
    assert newest(found) == found
    changed = old | {"session": "2026-03-01T00:00:00Z", "n_ratings": 999, "program": "irspack"}
    assert newest([*found, changed]) == [changed], "of another matrix with the same name"
    assert those(found, program="implicit", factors=16) == [other]
