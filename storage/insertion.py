"""The one way to store something that may be there already, without failing and without a savepoint.

A savepoint would do on PostgreSQL; on SQLite a full disk ends the whole transaction, and going back to a
savepoint that is gone would hide why.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from storage.tables import (
    ContributorRow,
    InboxRow,
    PredictionRow,
    TrainingRunRow,
)

NumberedRow = ContributorRow | InboxRow | PredictionRow | TrainingRunRow


async def insert_if_new(
    session: AsyncSession, table: type[NumberedRow], values: Mapping[str, Any]
) -> int | None:
    """Insert a row unless it breaks a unique rule of its table; its id, or None."""
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    statement = dialect.insert(table).values(dict(values)).on_conflict_do_nothing().returning(table.id)
    found: int | None = await session.scalar(statement)
    return found
