"""What is kept of users who were erased: a receipt and a digest, nothing that names them.

Written out rather than taken from ``app.store.tables``: a migration says what was true at its time.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "erasures",
        sa.Column("receipt", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("ratings", sa.BigInteger, nullable=False),
        sa.Column("erased_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("receipt", name="pk_erasures"),
    )
    op.create_index("ix_erasures_version", "erasures", ["version"], unique=True)


def downgrade() -> None:
    """Refuse: nobody would know any more who was erased. Restore a backup instead."""
    raise NotImplementedError("Erasures cannot be taken back; restore a backup instead.")
