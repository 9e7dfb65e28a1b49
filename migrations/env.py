"""How alembic reaches the database: over the connection that it is handed, or ``alembic -x url=URL``.

On SQLite the whole migration is one transaction, made without enforced foreign keys (moving a parent table
would empty its children) and checked for broken ones before it is committed.
"""

from alembic import context
from sqlalchemy import Connection

from storage.engine import open_sync
from storage.errors import MigrationError
from storage.tables import Base


def run(connection: Connection) -> None:
    """Migrate over a connection that is in no transaction."""
    is_sqlite = connection.dialect.name == "sqlite"
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        compare_type=True,
        transactional_ddl=True,  # SQLite's can be, as our BEGIN comes first
    )
    with context.begin_transaction():
        context.run_migrations()
        if is_sqlite:
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
            if broken:
                raise MigrationError(
                    f"{len(broken)} rows would point at rows that do not exist: {broken[:3]}"
                )


connection = context.config.attributes.get("connection")
if connection is not None:
    run(connection)
else:
    with open_sync(context.get_x_argument(as_dictionary=True)["url"]) as opened:
        run(opened)
