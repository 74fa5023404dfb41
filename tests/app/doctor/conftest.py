"""The PostgreSQL server of the machine: the doctor looks at both back-ends."""

from tests.postgres import postgres, postgres_url

__all__ = ["postgres", "postgres_url"]
