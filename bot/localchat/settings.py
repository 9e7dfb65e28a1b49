"""Small things that exist once and last: read and written whole, as JSON."""

from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.localchat import tables


async def read(connection: AsyncConnection, name: str, default: Any = None) -> Any:
    """The value under this name, or the default."""
    query = select(tables.settings.c.value).where(tables.settings.c.name == name)
    row = (await connection.execute(query)).one_or_none()
    return default if row is None else row.value


async def write(connection: AsyncConnection, name: str, value: Any) -> None:
    """Keep the value under this name instead of what was there; None removes it."""
    if value is None:
        await connection.execute(delete(tables.settings).where(tables.settings.c.name == name))
        return
    statement = insert(tables.settings).values(name=name, value=value)
    await connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"value": value}))
