"""The one way to store something that may be there already, without failing and without a savepoint.

A savepoint would do on PostgreSQL; on SQLite a full disk ends the whole transaction, and going back to a
savepoint that is gone would hide why.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from storage.tables import Base


async def insert_if_new(session: AsyncSession, table: type[Base], values: Mapping[str, Any]) -> Any:
    """Insert a row unless it breaks a unique rule of its table; its primary key, or None.

    A transaction that has stored the same and not ended is waited for, so what it stored is found afterwards.
    """
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    statement = dialect.insert(table).values(dict(values)).on_conflict_do_nothing()
    return await session.scalar(statement.returning(*table.__table__.primary_key))
