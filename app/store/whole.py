"""Everything that a store holds, table by table: out of any back-end, and into any other.

What comes out is of one moment, whatever is stored meanwhile. What goes in replaces all there was,
in one transaction, except for one thing: an erasure that the store knows of and what goes in does
not is made again, so that nobody who was erased comes back with an older backup.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import polars as pl
from sqlalchemy import JSON, Boolean, Double, LargeBinary, Text, cast, select

from app.store.erasures import SALT, digest_of, scrub
from app.store.errors import StoreNotEmpty
from app.store.records import Erasure
from app.store.tables import metadata

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sqlalchemy import Column, Connection, Table

    from app.store.operations import Transaction

Part: TypeAlias = "tuple[str, pl.DataFrame]"
"""Rows of the named table."""
Execute: TypeAlias = "Callable[..., Any]"
"""Runs a statement on a driver's connection, and returns something with ``fetchall``."""

ROWS_AT_ONCE = 100_000
_FIRST = ("facts", "users", "movies", "ratings")
_LAST = ("erasures", "progress")


def table_names() -> tuple[str, ...]:
    """Return every table in the order in which they go out and in."""
    others = sorted(set(metadata.tables) - {*_FIRST, *_LAST})
    return (*_FIRST, *others, *_LAST)


def schema_of(table: Table) -> dict[str, pl.DataType]:
    """Return the columns of a table as they are in a frame: JSON is text."""
    return {column.name: _kind(column) for column in table.columns}


def _kind(column: Column[Any]) -> pl.DataType:
    if isinstance(column.type, Boolean):
        return pl.Boolean()
    if isinstance(column.type, Double):
        return pl.Float64()
    if isinstance(column.type, LargeBinary):
        return pl.Binary()
    return pl.String() if isinstance(column.type, Text | JSON) else pl.Int64()


def dumped(connection: Connection) -> Iterator[Part]:
    """Yield the parts of ``Store.dump``.

    Parameters
    ----------
    connection
        One on which a transaction sees one consistent state, and may take its time.
    """
    streaming = connection.execution_options(stream_results=True, yield_per=ROWS_AT_ONCE)
    for name in table_names():
        table = metadata.tables[name]
        columns = [
            cast(column, Text).label(column.name) if isinstance(column.type, JSON) else column
            for column in table.columns
        ]
        query = select(*columns).order_by(*table.primary_key.columns)
        for rows in streaming.execute(query).partitions(ROWS_AT_ONCE):
            plain = [tuple(row) for row in rows]
            yield name, pl.DataFrame(plain, schema=pl.Schema(schema_of(table)), orient="row")


@dataclass(frozen=True)
class Known:
    """What a store knows before everything in it is replaced."""

    version: int
    salt: str
    erasures: tuple[Erasure, ...]

    @classmethod
    def read(cls, execute: Execute, *, force: bool) -> Known:
        """Read it.

        Raises
        ------
        StoreNotEmpty
            If there is something, and ``force`` is ``False``.
        """
        ((version,),) = execute("SELECT version FROM progress").fetchall()
        ((users, movies),) = execute(
            "SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM movies)"
        ).fetchall()
        if not force and (version or users or movies):
            raise StoreNotEmpty(
                f"The database holds {users:,} users and {movies:,} movies, at version "
                f"{version:,}. To lose them for what is in the backup, say --force."
            )
        salts = execute(f"SELECT value FROM facts WHERE name = '{SALT}'").fetchall()  # noqa: S608
        found = execute(
            "SELECT receipt, version, digest, ratings, erased_at FROM erasures ORDER BY version"
        ).fetchall()
        salt = salts[0][0] if salts else ""
        return cls(version, salt, tuple(Erasure(*row) for row in found))


class Incoming:
    """What goes in: the parts of a dump, without those whom the store knows as erased.

    Parameters
    ----------
    parts
        In the order of ``table_names``.
    known
        What the store knows.

    Attributes
    ----------
    version, n_ratings
        As they stand when all parts were taken.
    erased
        How many users were left out.
    """

    def __init__(self, parts: Iterable[Part], known: Known) -> None:
        self.version = known.version
        self.n_ratings = 0
        self._parts = parts
        self._known = known
        self._digests = {erasure.digest for erasure in known.erasures}
        self._salt = ""
        self._ids: dict[str, str] = {}  # whoever is left out, by digest
        self._left_out = 0

    @property
    def erased(self) -> int:
        """How many users were left out."""
        return len(self._ids)

    def __iter__(self) -> Iterator[Part]:
        erasures = pl.DataFrame(schema=schema_of(metadata.tables["erasures"]))
        for name, frame in self._parts:
            if name == "facts":
                yield name, self._facts(frame)
            elif name in {"users", "ratings"}:
                yield name, self._without(frame)
            elif name == "jobs":
                yield name, self._scrubbed(frame)
            elif name == "erasures":
                erasures = erasures.vstack(frame)
            elif name == "progress":
                self.version = max(self.version, frame["version"][0])
                self.n_ratings = frame["n_ratings"][0] - self._left_out
            else:
                yield name, frame
        yield "erasures", self._all_erasures(erasures)
        row = {"id": [1], "version": [self.version], "n_ratings": [self.n_ratings]}
        yield "progress", pl.DataFrame(row)

    def _facts(self, frame: pl.DataFrame) -> pl.DataFrame:
        found = frame.filter(pl.col("name") == SALT)["value"].to_list()
        self._salt = found[0] if found else self._known.salt
        if found or not self._known.salt:
            return frame
        return frame.vstack(pl.DataFrame({"name": [SALT], "value": [self._known.salt]}))

    def _without(self, frame: pl.DataFrame) -> pl.DataFrame:
        if not self._digests:
            return frame
        for user_id in frame["user_id"].unique().to_list():
            digest = digest_of(self._known.salt, user_id)
            if digest in self._digests:
                self._ids[digest] = user_id
        if not self._ids:
            return frame
        gone = frame["user_id"].is_in(list(self._ids.values()))
        if "rating" in frame.columns:
            self._left_out += int((gone & frame["rating"].is_not_null()).sum())
        return frame.filter(~gone)

    def _scrubbed(self, frame: pl.DataFrame) -> pl.DataFrame:
        documents = frame["document"].to_list()
        for user_id in self._ids.values():
            documents = [scrub(one, user_id) or one for one in documents]
        return frame.with_columns(document=pl.Series(documents, dtype=pl.String()))

    def _all_erasures(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return those of both; by the salt that goes in, where the id is known."""
        there, taken = set(frame["receipt"].to_list()), set(frame["version"].to_list())
        rows = []
        for one in self._known.erasures:
            if one.receipt in there:
                continue
            version = one.version
            if version in taken:  # of a database with another history
                self.version += 1
                version = self.version
            user_id = self._ids.get(one.digest)
            digest = one.digest if user_id is None else digest_of(self._salt, user_id)
            rows.append((one.receipt, version, digest, one.ratings, one.erased_at))
        return frame.vstack(pl.DataFrame(rows, schema=frame.schema, orient="row"))


def replace_all(parts: Iterable[Part], *, force: bool) -> Callable[[Transaction], int]:
    """Return the operation behind ``Store.restore`` on SQLite."""

    def operation(transaction: Transaction) -> int:
        connection = transaction.connection
        incoming = Incoming(parts, Known.read(connection.execute, force=force))
        for name in table_names():
            connection.execute(f"DELETE FROM {name}")  # noqa: S608 - our own names
        for name, frame in incoming:
            places = ", ".join("?" * frame.width)
            statement = f"INSERT INTO {name} ({', '.join(frame.columns)}) VALUES ({places})"  # noqa: S608
            connection.executemany(statement, frame.iter_rows())
        transaction.version, transaction.n_ratings = incoming.version, incoming.n_ratings
        transaction.shred = True
        return incoming.erased

    return operation
