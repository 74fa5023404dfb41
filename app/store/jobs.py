"""Jobs: JSON documents that say how far an import is, newest first."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from app.store.tables import jobs
from app.store.validation import check_text, to_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy import Select

    from app.store.operations import Transaction
    from app.store.records import JSON

KEPT = 1_000
"""So many jobs are remembered."""

PUT_JOB = (
    "INSERT INTO jobs (job_id, created_at, document) VALUES (?, ?, ?) "
    "ON CONFLICT (job_id) DO UPDATE SET document = excluded.document"
)
FIND_JOB = "SELECT document FROM jobs WHERE job_id = ?"
FORGET_JOBS = (
    "DELETE FROM jobs WHERE job_id IN "
    "(SELECT job_id FROM jobs ORDER BY created_at DESC LIMIT -1 OFFSET ?)"
)


def job_query(job_id: str) -> Select[tuple[str]]:
    """Return the query for one document."""
    return select(jobs.c.document).where(jobs.c.job_id == job_id)


def jobs_query(limit: int) -> Select[tuple[str]]:
    """Return the query for the newest documents, newest first."""
    return select(jobs.c.document).order_by(jobs.c.created_at.desc(), jobs.c.job_id).limit(limit)


def parsed(document: str) -> dict[str, Any]:
    """Return a document as it was kept."""
    found: dict[str, Any] = json.loads(document)
    return found


def job_row(job_id: str, document: Mapping[str, JSON]) -> tuple[str, int, str]:
    """Return the columns of a job; may raise ``InvalidRecord``."""
    check_text(job_id, "job_id")
    return job_id, time.time_ns(), to_json(document, "document")


def put_job(job_id: str, document: Mapping[str, JSON]) -> Callable[[Transaction], None]:
    """Return the operation behind ``Store.put_job``."""
    row = job_row(job_id, document)

    def operation(transaction: Transaction) -> None:
        transaction.connection.execute(PUT_JOB, row)
        transaction.connection.execute(FORGET_JOBS, (KEPT,))

    return operation
