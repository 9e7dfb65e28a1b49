"""The queue of updates that the bot has not confirmed yet."""

from typing import Any

from sqlalchemy import delete, func, insert, select

from bot.localchat import settings, tables
from bot.localchat.state import Json, Transaction

ON_REQUEST = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
"""Kinds that come only if `allowed_updates` names them."""

LIFETIME = 24 * 60 * 60
"""Seconds that an update waits for the bot."""

updates = tables.updates


async def put(transaction: Transaction, kind: str, payload: Json) -> None:
    """Queue an update, unless the bot has said that it does not want its kind."""
    allowed = await settings.read(transaction.connection, "allowed_updates", [])
    if kind not in allowed if allowed else kind in ON_REQUEST:
        return
    await transaction.connection.execute(
        insert(updates).values(kind=kind, payload=payload, created_at=transaction.now)
    )
    transaction.has_updates = True


async def pending(transaction: Transaction, offset: int, limit: int) -> list[Json]:
    """Confirm what lies before the offset and return what follows, oldest first.

    A negative offset counts from the end of the queue; what lies before it is forgotten.
    """
    connection = transaction.connection
    await connection.execute(delete(updates).where(updates.c.created_at < transaction.now - LIFETIME))
    if offset < 0:
        newest = select(updates.c.update_id).order_by(updates.c.update_id.desc()).limit(-offset).subquery()
        offset = (await connection.execute(select(func.min(newest.c.update_id)))).scalar() or 0
    await connection.execute(delete(updates).where(updates.c.update_id < offset))
    rows = await connection.execute(select(updates).order_by(updates.c.update_id).limit(limit))
    return [{"update_id": row.update_id, row.kind: row.payload} for row in rows]


async def count(transaction: Transaction) -> int:
    """How many updates wait."""
    return (await transaction.connection.execute(select(func.count()).select_from(updates))).scalar_one()


async def drop(transaction: Transaction) -> None:
    """Forget every update that waits."""
    await transaction.connection.execute(delete(updates))


async def remove(transaction: Transaction, update_id: int) -> None:
    """Forget an update that a webhook has taken."""
    await transaction.connection.execute(delete(updates).where(updates.c.update_id == update_id))


async def allow(transaction: Transaction, kinds: Any) -> None:
    """Remember which kinds the bot wants; None leaves it as it was, an empty list means the usual ones."""
    if isinstance(kinds, list):
        await settings.write(transaction.connection, "allowed_updates", [str(kind) for kind in kinds])
