"""The history: messages as the Bot API describes them, added, changed, read back."""

from collections.abc import Sequence

from sqlalchemy import delete, insert, select, update

from bot.localchat import chats, tables
from bot.localchat.errors import BadRequestError
from bot.localchat.state import Json, Transaction
from bot.localchat.tables import StoredRow

messages = tables.messages


async def add(transaction: Transaction, chat: Json, sender: int, content: Json) -> Json:
    """Put a message at the end of a chat and return it as the Bot API describes it.

    ``content`` holds the fields of a Message that say what it is (text, photo, ...), and "reply_to", the
    message_id that it answers.
    """
    connection = transaction.connection
    counter = update(tables.chats).where(tables.chats.c.chat_id == chat["id"])
    counter = counter.values(last_message_id=tables.chats.c.last_message_id + 1)
    counted = await connection.execute(counter.returning(tables.chats.c.last_message_id))
    message_id: int = counted.scalar_one()
    reply_to = content.pop("reply_to", None)
    message = {
        "message_id": message_id,
        "from": await chats.user(transaction, sender),
        "chat": chat,
        "date": transaction.now,
        **content,
    }
    await connection.execute(
        insert(messages).values(
            chat_id=chat["id"], message_id=message_id, sender_id=sender, reply_to=reply_to, content=message
        )
    )
    return await _tell(transaction, "message", chat["id"], message_id)


async def get(transaction: Transaction, chat_id: int, message_id: int) -> StoredRow | None:
    """A message's row, or None."""
    query = select(messages).where(messages.c.chat_id == chat_id, messages.c.message_id == message_id)
    return (await transaction.connection.execute(query)).one_or_none()


async def describe(transaction: Transaction, row: StoredRow) -> Json:
    """A row as the Bot API's Message, with the message that it answers if that still exists."""
    message = dict(row.content)
    if row.reply_to is not None:
        target = await get(transaction, row.chat_id, row.reply_to)
        if target is not None:
            message["reply_to_message"] = dict(target.content)
    return message


async def change(transaction: Transaction, row: StoredRow, content: Json) -> Json:
    """Give a message another content and return it as the Bot API describes it."""
    where = (messages.c.chat_id == row.chat_id, messages.c.message_id == row.message_id)
    await transaction.connection.execute(update(messages).where(*where).values(content=content))
    return await _tell(transaction, "edit", row.chat_id, row.message_id)


async def react(transaction: Transaction, row: StoredRow, user_id: int, emoji: str) -> None:
    """Leave one reaction of this person or bot on a message; "" takes it away."""
    reactions = [reaction for reaction in row.reactions if reaction["user_id"] != user_id]
    if emoji:
        reactions.append({"user_id": user_id, "emoji": emoji})
    where = (messages.c.chat_id == row.chat_id, messages.c.message_id == row.message_id)
    await transaction.connection.execute(update(messages).where(*where).values(reactions=reactions))
    event = {
        "type": "reactions",
        "chat_id": row.chat_id,
        "message_id": row.message_id,
        "reactions": reactions,
    }
    transaction.events.append(event)


async def remove(transaction: Transaction, chat_id: int, message_ids: Sequence[int]) -> None:
    """Take messages out of a chat."""
    where = (messages.c.chat_id == chat_id, messages.c.message_id.in_(message_ids))
    await transaction.connection.execute(delete(messages).where(*where))
    transaction.events.append({"type": "delete", "chat_id": chat_id, "message_ids": list(message_ids)})


async def history(transaction: Transaction, chat_id: int, before: int | None, limit: int) -> list[Json]:
    """Up to ``limit`` messages before a message_id (None: the newest), oldest first, as pages see them."""
    query = select(messages).where(messages.c.chat_id == chat_id)
    if before is not None:
        query = query.where(messages.c.message_id < before)
    rows = await transaction.connection.execute(query.order_by(messages.c.message_id.desc()).limit(limit))
    return [await _seen(transaction, row) for row in reversed(rows.all())]


async def _seen(transaction: Transaction, row: StoredRow) -> Json:
    """A message as pages see it, with the reactions on it."""
    return {"message": await describe(transaction, row), "reactions": row.reactions}


async def _tell(transaction: Transaction, kind: str, chat_id: int, message_id: int) -> Json:
    """Tell the pages of a new or changed message, and return it as the Bot API describes it."""
    row = await get(transaction, chat_id, message_id)
    assert row is not None, "it was just written"
    seen = await _seen(transaction, row)
    transaction.events.append({"type": kind, "chat_id": chat_id, **seen})
    message: Json = seen["message"]
    return message


async def wanted(transaction: Transaction, chat_id: int, message_id: int, what: str) -> StoredRow:
    """A message that a call names.

    Raises:
        BadRequestError: "message to <what> not found".
    """
    if message_id <= 0:
        raise BadRequestError("message identifier is not specified")
    row = await get(transaction, chat_id, message_id)
    if row is None:
        raise BadRequestError(f"message to {what} not found")
    return row
