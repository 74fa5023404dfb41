"""Everything that a store holds, replaced in one transaction: the twin of ``app.store.whole``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.store.postgres.bulk_import import copy_in
from app.store.whole import Incoming, Known, table_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from app.store.postgres.operations import Turn
    from app.store.whole import Part


def replace_all(parts: Iterable[Part], *, force: bool) -> Callable[[Turn], int]:
    """Return the operation behind ``Store.restore``, which takes a transaction of its own."""

    def operation(turn: Turn) -> int:
        connection = turn.connection
        incoming = Incoming(parts, Known.read(connection.execute, force=force))
        connection.execute(f"TRUNCATE {', '.join(table_names())}".encode())
        for name, frame in incoming:
            statement = f"COPY {name} ({', '.join(frame.columns)}) FROM STDIN"
            if name == "ratings":
                copy_in(connection, statement, frame)
                continue
            with connection.cursor().copy(statement.encode()) as copy:
                for row in frame.iter_rows():
                    copy.write_row(row)
        connection.execute("ANALYZE users, movies, ratings")
        turn.save(incoming.version, incoming.n_ratings, catalogue=True)
        return incoming.erased

    return operation
