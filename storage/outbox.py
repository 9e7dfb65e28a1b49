"""Answers that must arrive: stored with what they tell of, sent afterwards, also by the next start."""

from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from storage.insertion import insert_if_new
from storage.records import NewMessage, OutboxRecord
from storage.tables import OutboxRow


async def put(session: AsyncSession, new: NewMessage) -> bool:
    """Store an answer to be sent; whether it is new. One with the same key is stored once."""
    values = {
        "bot_id": new.bot_id,
        "chat_id": new.chat_id,
        "user_id": new.user_id,
        "key": new.key,
        "payload": dict(new.payload),
        "created_at": new.created_at,
        "tries": 0,
    }
    return await insert_if_new(session, OutboxRow, values) is not None


async def unsent(session: AsyncSession, bot_id: int, limit: int = 100) -> list[OutboxRecord]:
    """The answers that wait to be sent, oldest first."""
    rows = await session.scalars(
        select(OutboxRow)
        .where(OutboxRow.bot_id == bot_id, OutboxRow.sent_at.is_(None))
        .order_by(OutboxRow.id)
        .limit(limit)
    )
    return [row.to_record() for row in rows]


async def mark_tried(session: AsyncSession, message_id: int) -> None:
    """Count an attempt that failed."""
    await session.execute(
        update(OutboxRow).where(OutboxRow.id == message_id).values(tries=OutboxRow.tries + 1)
    )


async def mark_sent(session: AsyncSession, message_id: int, now: datetime) -> None:
    """An answer has arrived; its content is not needed any more."""
    await session.execute(
        update(OutboxRow)
        .where(OutboxRow.id == message_id)
        .values(sent_at=now, payload={}, tries=OutboxRow.tries + 1)
    )


async def drop(session: AsyncSession, message_id: int) -> None:
    """An answer that nobody can be given any more."""
    await session.execute(delete(OutboxRow).where(OutboxRow.id == message_id))


async def prune(session: AsyncSession, before: datetime) -> int:
    """Remove answers sent before a moment; how many."""
    gone = await session.scalars(delete(OutboxRow).where(OutboxRow.sent_at < before).returning(OutboxRow.id))
    return len(gone.all())
