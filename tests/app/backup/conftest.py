"""The PostgreSQL server of the machine: a backup of one back-end goes into the other."""

from tests.postgres import postgres, postgres_url

__all__ = ["postgres", "postgres_url"]
