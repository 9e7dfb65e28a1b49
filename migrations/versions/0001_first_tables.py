"""The first tables."""

import sqlalchemy as sa
from alembic import op

from storage.column_types import BigInt, Flag, Json, Probability, TenProbabilities, UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    "checkpoints",
    "contributors",
    "inbox",
    "model_versions",
    "outbox",
    "predictions",
    "servings",
    "training_runs",
    "corrections",
    "glyphs",
    "version_corrections",
)
"""In the order in which they refer to one another."""


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "checkpoints",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("length(sha256) = 64", name=op.f("ck_checkpoints_sha256_length")),
        sa.PrimaryKeyConstraint("sha256", name="pk_checkpoints"),
        sqlite_strict=True,
    )
    op.create_table(
        "contributors",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("bot_id", BigInt, nullable=False),
        sa.Column("user_id", BigInt, nullable=False),
        sa.Column("consent", sa.Text(), nullable=False),
        sa.Column("consent_version", sa.Integer(), nullable=True),
        sa.Column("consent_at", UtcDateTime(), nullable=True),
        sa.Column("asked_at", UtcDateTime(), nullable=True),
        sa.Column("wants_receipts", Flag(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "consent IN ('not_asked', 'given', 'withdrawn')", name=op.f("ck_contributors_consent")
        ),
        sa.PrimaryKeyConstraint("id", name="pk_contributors"),
        sa.UniqueConstraint("bot_id", "user_id", name="uq_contributors_bot_id_user_id"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index("ix_contributors_user_id", "contributors", ["user_id"])

    op.create_table(
        "inbox",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("bot_id", BigInt, nullable=False),
        sa.Column("update_id", BigInt, nullable=False),
        sa.Column("user_id", BigInt, nullable=True),
        sa.Column("payload", Json(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.CheckConstraint("state IN ('open', 'done', 'failed')", name=op.f("ck_inbox_state")),
        sa.PrimaryKeyConstraint("id", name="pk_inbox"),
        sa.UniqueConstraint("bot_id", "update_id", name="uq_inbox_bot_id_update_id"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index("ix_inbox_bot_id_state", "inbox", ["bot_id", "state"])
    op.create_index("ix_inbox_bot_id_user_id", "inbox", ["bot_id", "user_id"])
    op.create_index("ix_inbox_received_at", "inbox", ["received_at"])

    op.create_table(
        "model_versions",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("architecture", sa.Text(), nullable=False),
        sa.Column("trigger", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("parent_id", BigInt, nullable=True),
        sa.Column("data", Json(), nullable=False),
        sa.Column("metrics", Json(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("forgotten_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "state IN ('candidate', 'refused', 'rejected', 'promoted')", name=op.f("ck_model_versions_state")
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["model_versions.id"], name="fk_model_versions_parent_id_model_versions"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_model_versions"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index("ix_model_versions_parent_id", "model_versions", ["parent_id"])
    op.create_index("ix_model_versions_sha256", "model_versions", ["sha256"])
    op.create_index(
        "uq_model_versions_root",
        "model_versions",
        ["sha256"],
        unique=True,
        sqlite_where=sa.text("parent_id IS NULL"),
        postgresql_where=sa.text("parent_id IS NULL"),
    )

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

    op.create_table(
        "predictions",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("bot_id", BigInt, nullable=False),
        sa.Column("chat_id", BigInt, nullable=False),
        sa.Column("message_id", BigInt, nullable=False),
        sa.Column("file_unique_id", sa.Text(), nullable=False),
        sa.Column("contributor_id", BigInt, nullable=False),
        sa.Column("answer_message_id", BigInt, nullable=True),
        sa.Column("model_version_id", BigInt, nullable=False),
        sa.Column("preprocessing_version", sa.Integer(), nullable=False),
        sa.Column("digits", sa.Text(), nullable=False),
        sa.Column("confidence", Probability, nullable=False),
        sa.Column("abstention", sa.Text(), nullable=True),
        sa.Column("measured", Json(), nullable=False),
        sa.Column("environment", Json(), nullable=False),
        sa.Column("is_superseded", Flag(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("ltrim(digits, '0123456789\n') = ''", name=op.f("ck_predictions_digits_only")),
        sa.CheckConstraint("confidence BETWEEN 0 AND 1", name=op.f("ck_predictions_confidence_range")),
        sa.ForeignKeyConstraint(
            ["contributor_id"],
            ["contributors.id"],
            name="fk_predictions_contributor_id_contributors",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["model_version_id"], ["model_versions.id"], name="fk_predictions_model_version_id_model_versions"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_predictions"),
        sa.UniqueConstraint(
            "bot_id",
            "chat_id",
            "message_id",
            "file_unique_id",
            name="uq_predictions_bot_id_chat_id_message_id_file_unique_id",
        ),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index(
        "ix_predictions_bot_id_chat_id_answer_message_id",
        "predictions",
        ["bot_id", "chat_id", "answer_message_id"],
    )
    op.create_index(
        "ix_predictions_contributor_id_chat_id_id", "predictions", ["contributor_id", "chat_id", "id"]
    )
    op.create_index("ix_predictions_created_at", "predictions", ["created_at"])
    op.create_index("ix_predictions_model_version_id", "predictions", ["model_version_id"])

    op.create_table(
        "servings",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("version_id", BigInt, nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("promoted_by", BigInt, nullable=True),
        sa.Column("how", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["version_id"], ["model_versions.id"], name="fk_servings_version_id_model_versions"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_servings"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index("ix_servings_version_id", "servings", ["version_id"])

    op.create_table(
        "training_runs",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("trigger", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=True),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.Column("heartbeat_at", UtcDateTime(), nullable=True),
        sa.Column("requested_by", BigInt, nullable=True),
        sa.Column("bot_id", BigInt, nullable=True),
        sa.Column("chat_id", BigInt, nullable=True),
        sa.Column("message_id", BigInt, nullable=True),
        sa.Column("slot", sa.Text(), nullable=True),
        sa.Column("holder", sa.Text(), nullable=True),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("progress", Probability, nullable=False),
        sa.Column("is_cancel_requested", Flag(), nullable=False),
        sa.Column("result", Json(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("version_id", BigInt, nullable=True),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'finished', 'failed', 'cancelled')",
            name=op.f("ck_training_runs_state"),
        ),
        sa.CheckConstraint("progress BETWEEN 0 AND 1", name=op.f("ck_training_runs_progress_range")),
        sa.ForeignKeyConstraint(
            ["version_id"], ["model_versions.id"], name="fk_training_runs_version_id_model_versions"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_training_runs"),
        sa.UniqueConstraint("slot", name="uq_training_runs_slot"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index("ix_training_runs_version_id", "training_runs", ["version_id"])
    op.create_index(
        "uq_training_runs_running",
        "training_runs",
        ["state"],
        unique=True,
        sqlite_where=sa.text("state = 'running'"),
        postgresql_where=sa.text("state = 'running'"),
    )

    op.create_table(
        "corrections",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("prediction_id", BigInt, nullable=False),
        sa.Column("contributor_id", BigInt, nullable=False),
        sa.Column("owner_id", BigInt, nullable=False),
        sa.Column("digits", sa.Text(), nullable=False),
        sa.Column("labels_glyphs", Flag(), nullable=False),
        sa.Column("by_admin", Flag(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("is_current", Flag(), nullable=False),
        sa.Column("draw_key", BigInt, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("undone_at", UtcDateTime(), nullable=True),
        sa.Column("decision", sa.Text(), nullable=True),
        sa.Column("decided_by", BigInt, nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("decision IN ('accepted', 'rejected')", name=op.f("ck_corrections_decision")),
        sa.CheckConstraint("ltrim(digits, '0123456789\n') = ''", name=op.f("ck_corrections_digits_only")),
        sa.CheckConstraint(
            "state IN ('pending', 'accepted', 'quarantined', 'rejected', 'withdrawn')",
            name=op.f("ck_corrections_state"),
        ),
        sa.CheckConstraint("(decision IS NULL) = (decided_at IS NULL)", name=op.f("ck_corrections_decided")),
        sa.CheckConstraint("draw_key >= 0", name=op.f("ck_corrections_draw_key")),
        sa.ForeignKeyConstraint(
            ["contributor_id"],
            ["contributors.id"],
            name="fk_corrections_contributor_id_contributors",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["contributors.id"], name="fk_corrections_owner_id_contributors", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["prediction_id"],
            ["predictions.id"],
            name="fk_corrections_prediction_id_predictions",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_corrections"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index(
        "ix_corrections_contributor_id_created_at", "corrections", ["contributor_id", "created_at"]
    )
    op.create_index(
        "ix_corrections_current_state",
        "corrections",
        ["state", "created_at"],
        sqlite_where=sa.text("is_current = 1"),
        postgresql_where=sa.text("is_current"),
    )
    op.create_index(
        "ix_corrections_drawn",
        "corrections",
        ["draw_key", "id"],
        sqlite_where=sa.text("is_current = 1 AND labels_glyphs = 1"),
        postgresql_where=sa.text("is_current AND labels_glyphs"),
    )
    op.create_index("ix_corrections_owner_id", "corrections", ["owner_id"])
    op.create_index("ix_corrections_prediction_id", "corrections", ["prediction_id"])
    op.create_index(
        "uq_corrections_current",
        "corrections",
        ["prediction_id", "contributor_id"],
        unique=True,
        sqlite_where=sa.text("is_current = 1"),
        postgresql_where=sa.text("is_current"),
    )

    op.create_table(
        "glyphs",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("prediction_id", BigInt, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("box_left", sa.Integer(), nullable=False),
        sa.Column("box_top", sa.Integer(), nullable=False),
        sa.Column("box_right", sa.Integer(), nullable=False),
        sa.Column("box_bottom", sa.Integer(), nullable=False),
        sa.Column("probabilities", TenProbabilities(), nullable=False),
        sa.Column("screened_by", sa.Text(), nullable=True),
        sa.Column("screened_digit", sa.Integer(), nullable=True),
        sa.Column("screened_confidence", Probability, nullable=True),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=True),
        sa.Column("key_id", sa.Text(), nullable=True),
        sa.Column("token", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(
            "(token IS NULL) = (fingerprint IS NULL) AND (token IS NULL) = (key_id IS NULL)",
            name=op.f("ck_glyphs_sealed"),
        ),
        sa.CheckConstraint("position >= 0 AND line >= 0", name=op.f("ck_glyphs_order")),
        sa.CheckConstraint(
            "screened_confidence BETWEEN 0 AND 1", name=op.f("ck_glyphs_screened_confidence_range")
        ),
        sa.CheckConstraint("screened_digit BETWEEN 0 AND 9", name=op.f("ck_glyphs_screened_digit")),
        sa.ForeignKeyConstraint(
            ["prediction_id"],
            ["predictions.id"],
            name="fk_glyphs_prediction_id_predictions",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_glyphs"),
        sa.UniqueConstraint("prediction_id", "position", name="uq_glyphs_prediction_id_position"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index("ix_glyphs_fingerprint", "glyphs", ["fingerprint"])

    op.create_table(
        "version_corrections",
        sa.Column("version_id", BigInt, nullable=False),
        sa.Column("correction_id", BigInt, nullable=False),
        sa.Column("receipt_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["correction_id"],
            ["corrections.id"],
            name="fk_version_corrections_correction_id_corrections",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["model_versions.id"], name="fk_version_corrections_version_id_model_versions"
        ),
        sa.PrimaryKeyConstraint("version_id", "correction_id", name="pk_version_corrections"),
        sqlite_strict=True,
    )
    op.create_index("ix_version_corrections_correction_id", "version_corrections", ["correction_id"])


def downgrade() -> None:
    """Drop them, with all that is in them."""
    for table in reversed(TABLES):
        op.drop_table(table)
