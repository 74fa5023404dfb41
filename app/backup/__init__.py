"""Backups: a store as a folder of Parquet files, and such a folder as a store of any back-end."""

from app.backup.manifest import BackupError, BackupManifest
from app.backup.restoring import RestoreReport, restore, verify
from app.backup.writing import write_backup

__all__ = [
    "BackupError",
    "BackupManifest",
    "RestoreReport",
    "restore",
    "verify",
    "write_backup",
]
