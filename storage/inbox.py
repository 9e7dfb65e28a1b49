"""Updates, stored before Telegram is told that we have them, until they are handled.

They carry names and texts, which are nobody's business at rest: `seal` what is to be stored.
"""

from base64 import b64decode, b64encode
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime

from sqlalchemy import Update, and_, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from storage.encryption import Keyring
from storage.errors import KeyLostError
from storage.insertion import insert_if_new
from storage.records import InboxRecord, InboxState, JsonObject, NewUpdate
from storage.tables import InboxRow

_SEALED = "sealed"


def seal(keyring: Keyring, content: bytes) -> JsonObject:
    """The payload of an update with this content."""
    return {_SEALED: b64encode(keyring.encrypt(content)).decode()}


def unseal(keyring: Keyring, payload: JsonObject) -> bytes:
    """What `seal` was given. Raises `KeyLostError`."""
    return keyring.decrypt(b64decode(payload[_SEALED]))


async def put(session: AsyncSession, bot_id: int, updates: Iterable[NewUpdate], now: datetime) -> list[int]:
    """Store updates; those known by their id are left as they are.

    Returns:
        The ids that are open: what is new, and what was stored before without anybody having heard of it.
    """
    ids = []
    for one in updates:
        values = {
            "bot_id": bot_id,
            "update_id": one.update_id,
            "user_id": one.user_id,
            "payload": dict(one.payload),
            "state": InboxState.OPEN,
            "received_at": now,
            "tries": 0,
        }
        await insert_if_new(session, InboxRow, values)
        ids.append(one.update_id)
    found = await session.scalars(
        select(InboxRow.update_id)
        .where(InboxRow.bot_id == bot_id, InboxRow.update_id.in_(ids), InboxRow.state == InboxState.OPEN)
        .order_by(InboxRow.update_id)
    )
    return list(found)


async def open_updates(session: AsyncSession, bot_id: int) -> list[InboxRecord]:
    """The updates that nobody has handled yet, in the order in which they came."""
    rows = await session.scalars(
        select(InboxRow)
        .where(InboxRow.bot_id == bot_id, InboxRow.state == InboxState.OPEN)
        .order_by(InboxRow.id)
    )
    return [row.to_record() for row in rows]


async def reseal(session: AsyncSession, keyring: Keyring) -> None:
    """Encrypt what is open with the keyring's first key, but for what was lost with its key."""
    found = await session.execute(
        select(InboxRow.bot_id, InboxRow.update_id, InboxRow.payload).where(InboxRow.state == InboxState.OPEN)
    )
    for bot_id, update_id, payload in found.all():
        with suppress(KeyLostError):
            resealed = seal(keyring, unseal(keyring, payload))
            is_open = InboxRow.state == InboxState.OPEN  # or somebody has just handled it
            await session.execute(_one(bot_id, update_id).where(is_open).values(payload=resealed))


async def find(session: AsyncSession, bot_id: int, update_id: int) -> InboxRecord | None:
    """An update by its id, in any state."""
    row = await session.scalar(
        select(InboxRow).where(InboxRow.bot_id == bot_id, InboxRow.update_id == update_id)
    )
    return None if row is None else row.to_record()


async def begin(session: AsyncSession, bot_id: int, update_id: int) -> int:
    """Count that handling an open update is begun; how often it has been by now, 0 where there is none.

    An update that takes the process down with it is known by this number at the next start.
    """
    tries = await session.scalar(
        _one(bot_id, update_id)
        .where(InboxRow.state == InboxState.OPEN)
        .values(tries=InboxRow.tries + 1)
        .returning(InboxRow.tries)
    )
    return tries or 0


async def put_back(session: AsyncSession, bot_id: int, update_id: int) -> None:
    """Forget that handling an open update was begun: it ended in good order, before it was done."""
    await session.execute(
        _one(bot_id, update_id)
        .where(InboxRow.state == InboxState.OPEN, InboxRow.tries > 0)
        .values(tries=InboxRow.tries - 1)
    )


async def is_open(session: AsyncSession, bot_id: int, update_id: int) -> bool:
    """Whether an update waits to be handled; until the writing transaction ends nobody else changes that."""
    state = await session.scalar(
        select(InboxRow.state)
        .where(InboxRow.bot_id == bot_id, InboxRow.update_id == update_id)
        .with_for_update()
    )
    return state is InboxState.OPEN


async def mark_done(session: AsyncSession, bot_id: int, update_id: int) -> None:
    """An update is handled, in the transaction that stores its result; its content is not needed any more."""
    await session.execute(
        _one(bot_id, update_id).values(state=InboxState.DONE, payload={}, user_id=None, error=None)
    )


async def mark_failed(session: AsyncSession, bot_id: int, update_id: int, error: str) -> None:
    """An update cannot be handled and is not tried again; why is kept for a while, its content is not."""
    await session.execute(
        _one(bot_id, update_id).values(state=InboxState.FAILED, payload={}, user_id=None, error=error)
    )


async def prune(session: AsyncSession, before: datetime, open_before: datetime) -> int:
    """Remove updates that came before a moment and were handled or failed, and older ones in any state.

    Telegram keeps updates for a day, so after two none comes again; after a quiet week ids start anew. What
    nobody handles for long is of a bot that is served here no more.

    Returns:
        How many.
    """
    is_handled = and_(InboxRow.received_at < before, InboxRow.state != InboxState.OPEN)
    gone = await session.scalars(
        delete(InboxRow).where(or_(is_handled, InboxRow.received_at < open_before)).returning(InboxRow.id)
    )
    return len(gone.all())


def _one(bot_id: int, update_id: int) -> Update:
    return update(InboxRow).where(InboxRow.bot_id == bot_id, InboxRow.update_id == update_id)
