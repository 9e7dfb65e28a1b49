"""Take out the fingerprints of glyphs, by which nothing looks for any."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

AS_IT_WAS = {"sqlite_strict": True, "sqlite_autoincrement": True}
"""What alembic does not see of a table on SQLite, which it makes anew."""
SEALED = "(token IS NULL) = (key_id IS NULL)"


def upgrade() -> None:
    """Take them out."""
    with op.batch_alter_table("glyphs", table_kwargs=AS_IT_WAS) as table:
        table.drop_constraint(op.f("ck_glyphs_sealed"), type_="check")
        table.drop_index("ix_glyphs_fingerprint")
        table.drop_column("fingerprint")
        table.create_check_constraint(op.f("ck_glyphs_sealed"), SEALED)


def downgrade() -> None:
    """Put them back, empty."""
    with op.batch_alter_table("glyphs", table_kwargs=AS_IT_WAS) as table:
        table.drop_constraint(op.f("ck_glyphs_sealed"), type_="check")
        table.add_column(sa.Column("fingerprint", sa.LargeBinary(), nullable=True))
    op.execute(
        sa.text("UPDATE glyphs SET fingerprint = :empty WHERE token IS NOT NULL").bindparams(empty=b"")
    )
    with op.batch_alter_table("glyphs", table_kwargs=AS_IT_WAS) as table:
        table.create_index("ix_glyphs_fingerprint", ["fingerprint"])
        table.create_check_constraint(
            op.f("ck_glyphs_sealed"),
            f"(token IS NULL) = (fingerprint IS NULL) AND {SEALED}",
        )
