"""The store: movies, users and ratings that survive. SQLite now; the interface leaves room."""

from app.store.errors import (
    DatabaseNotFound,
    InvalidRecord,
    MovieNotFound,
    SchemaTooNew,
    SchemaTooOld,
    StoreClosed,
    StoreError,
    StoreInUse,
    StoreOverloaded,
    StoreReadOnly,
    StoreUnavailable,
    UnsupportedDatabase,
)
from app.store.interface import Store
from app.store.records import (
    JSON,
    Counts,
    ImportReport,
    Movie,
    RatingRecord,
    Snapshot,
    User,
    WriterState,
)
from app.store.sqlite import open_store

__all__ = [
    "JSON",
    "Counts",
    "DatabaseNotFound",
    "ImportReport",
    "InvalidRecord",
    "Movie",
    "MovieNotFound",
    "RatingRecord",
    "SchemaTooNew",
    "SchemaTooOld",
    "Snapshot",
    "Store",
    "StoreClosed",
    "StoreError",
    "StoreInUse",
    "StoreOverloaded",
    "StoreReadOnly",
    "StoreUnavailable",
    "UnsupportedDatabase",
    "User",
    "WriterState",
    "open_store",
]
