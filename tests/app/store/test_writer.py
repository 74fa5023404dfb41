"""Groups, order, durability, and operations that fail."""

from __future__ import annotations

import threading
import time
from concurrent.futures import CancelledError, wait

import pytest

from app.store import InvalidRecord, StoreClosed, StoreOverloaded
from app.store.connections import connect_writer
from app.store.operations import put_rating
from app.store.writer import GROUP

# ----- groups -----


def test_what_waits_is_committed_together_up_to_the_size_of_a_group(make_writer, make_gate):
    writer, gate = make_writer(), make_gate()
    writer.submit(gate)
    assert gate.reached.wait(10)
    futures = [writer.submit(put_rating(f"u{i}", "1", 3, 0)) for i in range(GROUP + 1)]
    assert writer.state().queued == GROUP + 1
    gate.go_on.set()
    wait(futures)
    assert [future.result().version for future in futures] == list(range(1, GROUP + 2))
    assert writer.state().commits == 3  # the gate's, the full group, the one left over


def test_an_operation_alone_shares_its_transaction_with_none(make_writer, make_gate):
    writer, gate = make_writer(), make_gate()
    writer.submit(gate)
    assert gate.reached.wait(10)
    futures = [writer.submit(put_rating(f"u{i}", "1", 3, 0), alone=i == 2) for i in range(5)]
    gate.go_on.set()
    wait(futures)
    assert [future.result().version for future in futures] == [1, 2, 3, 4, 5]
    assert writer.state().commits == 4


def test_nothing_is_acknowledged_before_it_is_committed(make_writer, rows, make_gate):
    writer, gate, seen = make_writer(), make_gate(), []
    first = writer.submit(put_rating("u", "1", 3, 0))
    first.add_done_callback(lambda _: seen.append(rows()))
    first.result()
    gated = [writer.submit(gate), writer.submit(put_rating("v", "1", 3, 0))]
    assert gate.reached.wait(10)
    time.sleep(0.05)
    assert not any(future.done() for future in gated)
    assert rows() == [("u", 3.0)]
    gated[1].add_done_callback(lambda _: seen.append(rows()))
    gate.go_on.set()
    wait(gated)
    writer.close()
    # At the very moment of each answer another connection saw the row.
    assert seen == [[("u", 3.0)], [("u", 3.0), ("v", 3.0)]]


def test_a_full_queue_refuses_and_recovers(make_writer, make_gate):
    writer, gate = make_writer(waiting=3), make_gate()
    writer.submit(gate)
    assert gate.reached.wait(10)
    taken = [writer.submit(put_rating(f"u{i}", "1", 3, 0)) for i in range(3)]
    with pytest.raises(StoreOverloaded):
        writer.submit(put_rating("late", "1", 3, 0)).result()
    gate.go_on.set()
    wait(taken)
    assert writer.submit(put_rating("late", "1", 3, 0)).result().version == 4


def test_what_is_cancelled_in_time_is_not_written(make_writer, rows, make_gate):
    writer, gate = make_writer(), make_gate()
    writer.submit(gate)
    assert gate.reached.wait(10)
    given_up = writer.submit(put_rating("u", "1", 3, 0))
    kept = writer.submit(put_rating("v", "1", 3, 0))
    assert given_up.cancel()
    gate.go_on.set()
    assert kept.result().version == 1
    assert not kept.cancel()
    with pytest.raises(CancelledError):
        given_up.result()
    assert rows() == [("v", 3.0)]


# ----- failing operations -----


def test_an_operation_that_fails_half_way_is_taken_back_alone(make_writer, rows, make_gate):
    def half(transaction):
        put_rating("half", "1", 3, 0)(transaction)
        raise ZeroDivisionError

    def against_a_constraint(transaction):
        put_rating("half", "1", 3, 0)(transaction)
        transaction.connection.execute("UPDATE ratings SET rating = 1e9 WHERE user_id = 'half'")

    writer, gate = make_writer(), make_gate()
    writer.submit(gate)
    assert gate.reached.wait(10)
    operations = [
        put_rating("u", "1", 3, 0),
        half,
        against_a_constraint,
        put_rating("v", "1", 3, 0),
    ]
    futures = [writer.submit(operation) for operation in operations]
    gate.go_on.set()
    assert futures[0].result().version == 1
    assert isinstance(futures[1].exception(), ZeroDivisionError)
    assert isinstance(futures[2].exception(), InvalidRecord)
    assert futures[3].result().version == 2  # what was taken back used up no version
    assert writer.state().commits == 2
    assert rows() == [("u", 3.0), ("v", 3.0)]


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO ratings VALUES ('', '1', 3, 0, 9)",
        "INSERT INTO ratings VALUES ('u', '', 3, 0, 9)",
        "INSERT INTO ratings VALUES ('u', '1', 9e999, 0, 9)",
        "INSERT INTO ratings VALUES ('u', '1', 'five', 0, 9)",
        "INSERT INTO ratings VALUES ('u', '1', 3, NULL, 9)",
        "INSERT INTO ratings VALUES ('u', '1', 3, 0, 0)",
        "INSERT INTO users (user_id) VALUES ('')",
        "INSERT INTO movies (movie_id, title, search_text) VALUES ('2', '', '')",
        "INSERT INTO progress VALUES (2, 0, 0)",
        "UPDATE progress SET n_ratings = -1",
    ],
)
def test_the_tables_guard_themselves(make_writer, sql):
    with pytest.raises(InvalidRecord, match="constraint"):
        make_writer().submit(lambda transaction: transaction.connection.execute(sql)).result()


# ----- the rest -----


def test_every_commit_is_synced(tmp_path, database):
    """The settings that make an acknowledged row survive a power cut."""
    connection = connect_writer(database, 1)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_a_closed_writer_refuses(make_writer):
    writer = make_writer()
    writer.close()
    with pytest.raises(StoreClosed):
        writer.submit(put_rating("u", "1", 3, 0)).result()
    assert not any(thread.name == "store-writer" for thread in threading.enumerate())
