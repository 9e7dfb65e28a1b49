"""Take out what nothing uses: the outbox, and the chat in which a training was asked for."""

import sqlalchemy as sa
from alembic import op

from storage.column_types import BigInt, Json, UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ASKED_IN = ("bot_id", "chat_id", "message_id")
"""Columns of training_runs."""


def upgrade() -> None:
    """Take it out."""
    op.drop_table("outbox")
    for column in ASKED_IN:
        op.drop_column("training_runs", column)


def downgrade() -> None:
    """Put it back, empty."""
    for column in ASKED_IN:
        op.add_column("training_runs", sa.Column(column, BigInt, nullable=True))
    op.create_table(
        "outbox",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("bot_id", BigInt, nullable=False),
        sa.Column("chat_id", BigInt, nullable=False),
        sa.Column("user_id", BigInt, nullable=True),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("payload", Json(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("sent_at", UtcDateTime(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sa.UniqueConstraint("bot_id", "key", name="uq_outbox_bot_id_key"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index("ix_outbox_bot_id_sent_at", "outbox", ["bot_id", "sent_at"])
    op.create_index("ix_outbox_bot_id_user_id", "outbox", ["bot_id", "user_id"])
