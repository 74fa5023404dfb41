"""The store: movies, users and ratings that survive. In one SQLite file, or in PostgreSQL."""

from app.store.errors import (
    DatabaseNotFound,
    InvalidRecord,
    MovieNotFound,
    SchemaTooNew,
    SchemaTooOld,
    StoreClosed,
    StoreError,
    StoreInUse,
    StoreNotEmpty,
    StoreOverloaded,
    StoreReadOnly,
    StoreUnavailable,
    UnsupportedDatabase,
)
from app.store.interface import Store
from app.store.opening import open_store
from app.store.records import (
    JSON,
    Counts,
    Erasure,
    ImportReport,
    Movie,
    RatingRecord,
    Snapshot,
    User,
    WriterState,
)

__all__ = [
    "JSON",
    "Counts",
    "DatabaseNotFound",
    "Erasure",
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
    "StoreNotEmpty",
    "StoreOverloaded",
    "StoreReadOnly",
    "StoreUnavailable",
    "UnsupportedDatabase",
    "User",
    "WriterState",
    "open_store",
]
