"""The one way to store something that may be there already, without failing and without a savepoint.

A savepoint would do on PostgreSQL; on SQLite a full disk ends the whole transaction, and going back to a
savepoint that is gone would hide why.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from storage.tables import (
    Base,
    ContributorRow,
    InboxRow,
    ModelVersionRow,
    PredictionRow,
    TrainingRunRow,
)

NumberedRow = ContributorRow | InboxRow | ModelVersionRow | PredictionRow | TrainingRunRow

Insertion = postgresql.Insert | sqlite.Insert


def insertion(session: AsyncSession, table: type[Base], values: Mapping[str, Any]) -> Insertion:
    """The statement that inserts a row unless it breaks a unique rule of its table."""
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    statement: Insertion = (sqlite if is_sqlite else postgresql).insert(table)
    return statement.values(dict(values)).on_conflict_do_nothing()


async def insert_if_new(
    session: AsyncSession, table: type[NumberedRow], values: Mapping[str, Any]
) -> int | None:
    """Insert a row unless it breaks a unique rule of its table; its id, or None."""
    found: int | None = await session.scalar(insertion(session, table, values).returning(table.id))
    return found
