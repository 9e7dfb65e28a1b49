"""What people do in the chat: each deed changes the history and becomes an update for the bot."""

import asyncio
import re
from dataclasses import dataclass

from sqlalchemy import delete, insert, select

from bot.localchat import chats, entities, files, messages, photos, tables, updates
from bot.localchat.errors import BadRequestError
from bot.localchat.keyboards import MAXIMUM_CALLBACK_DATA
from bot.localchat.parameters import Upload
from bot.localchat.state import Account, Json, State, Transaction


@dataclass(frozen=True)
class Post:
    """What goes with everything that a person sends."""

    sender: Account
    chat_id: int
    text: str  # of a message, or the caption of its files
    reply_to: int | None  # a message_id


async def send_text(state: State, post: Post) -> Json:
    """A text from a person."""
    plain, found = entities.finish(post.text, [])
    if not plain:
        raise BadRequestError("message text is empty")
    if entities.utf16(plain) > entities.MAXIMUM_TEXT:
        raise BadRequestError("message is too long")
    content: Json = {"text": plain, **({"entities": found} if found else {})}
    async with state.transaction() as transaction:
        return await _send(transaction, post, content)


async def send_photos(state: State, post: Post, pictures: list[bytes]) -> list[Json]:
    """Pictures as an app sends them: made smaller, several as an album with the caption on the first."""
    smaller = [await asyncio.to_thread(photos.shrink, picture) for picture in pictures]
    photo_ids = [await files.save_photo(state, picture) for picture in smaller]
    async with state.transaction() as transaction:
        contents = [{"photo": await files.photo(transaction, photo_id)} for photo_id in photo_ids]
        return await _send_album(state, transaction, post, contents)


async def send_documents(state: State, post: Post, uploads: list[Upload]) -> list[Json]:
    """Files as they are."""
    file_ids = [await files.save_document(state, upload) for upload in uploads]
    async with state.transaction() as transaction:
        contents = [{"document": await files.document(transaction, file_id)} for file_id in file_ids]
        return await _send_album(state, transaction, post, contents)


async def edit(state: State, sender: Account, chat_id: int, message_id: int, text: str) -> Json:
    """Another text or caption for a person's own message."""
    plain, found = entities.finish(text, [])
    async with state.transaction() as transaction:
        row = await messages.wanted(transaction, chat_id, message_id, "edit")
        if row.sender_id != sender.user_id:
            raise BadRequestError("message can't be edited")
        names = ("text", "entities") if "text" in row.content else ("caption", "caption_entities")
        if not plain and names[0] == "text":
            raise BadRequestError("message text is empty")
        kept = {name: value for name, value in row.content.items() if name not in names}
        new = {names[0]: plain, names[1]: found, "edit_date": transaction.now}
        edited = await messages.change(
            transaction, row, {**kept, **{name: new[name] for name in new if new[name]}}
        )
        await _deliver(transaction, "edited_message", edited)
        return edited


async def press(state: State, sender: Account, chat_id: int, message_id: int, data: str) -> str:
    """Press a button; returns the id of the query, under which the bot's answer comes as an event.

    The data is not compared with the keyboard: nothing keeps a Telegram client from sending any data, either.
    """
    if not 1 <= len(data.encode()) <= MAXIMUM_CALLBACK_DATA:
        raise BadRequestError("DATA_INVALID")
    query_id = str(state.random_id() * 10**9 + state.random_id())
    async with state.transaction() as transaction:
        row = await messages.wanted(transaction, chat_id, message_id, "press")
        forgotten = tables.callback_queries.c.created_at < transaction.now - updates.LIFETIME
        await transaction.connection.execute(delete(tables.callback_queries).where(forgotten))
        await transaction.connection.execute(
            insert(tables.callback_queries).values(
                query_id=query_id, user_id=sender.user_id, chat_id=chat_id, created_at=transaction.now
            )
        )
        query = {
            "id": query_id,
            "from": sender.user(),
            "message": await messages.describe(transaction, row),
            "chat_instance": str(abs(chat_id) * 31),
            "data": data,
        }
        await updates.put(transaction, "callback_query", query)
    return query_id


async def react(state: State, sender: Account, chat_id: int, message_id: int, emoji: str) -> None:
    """A person's reaction; "" takes it away."""
    async with state.transaction() as transaction:
        row = await messages.wanted(transaction, chat_id, message_id, "react")
        old = [reaction["emoji"] for reaction in row.reactions if reaction["user_id"] == sender.user_id]
        await messages.react(transaction, row, sender.user_id, emoji)
        reaction = {
            "chat": row.content["chat"],
            "message_id": message_id,
            "user": sender.user(),
            "date": transaction.now,
            "old_reaction": [{"type": "emoji", "emoji": one} for one in old],
            "new_reaction": [{"type": "emoji", "emoji": emoji}] if emoji else [],
        }
        await updates.put(transaction, "message_reaction", reaction)


async def block(state: State, sender: Account, blocked: bool) -> None:
    """Stop the bot, or start it again."""
    async with state.transaction() as transaction:
        await _block(transaction, sender, blocked)


async def clear(state: State, chat_id: int) -> None:
    """Remove a chat's messages and the files that were in them."""
    messages_table, files_table = tables.messages, tables.files
    async with state.transaction() as transaction:
        await chats.get(transaction, chat_id)
        query = select(messages_table).where(messages_table.c.chat_id == chat_id)
        rows = (await transaction.connection.execute(query)).all()
        contents = [row.content for row in rows]
        file_ids = [size["file_id"] for content in contents for size in content.get("photo", [])]
        file_ids += [content["document"]["file_id"] for content in contents if "document" in content]
        photo_ids = select(files_table.c.photo_id).where(files_table.c.file_id.in_(file_ids))
        await transaction.connection.execute(delete(files_table).where(files_table.c.photo_id.in_(photo_ids)))
        await messages.remove(transaction, chat_id, [row.message_id for row in rows])


async def _block(transaction: Transaction, sender: Account, blocked: bool) -> None:
    if blocked == await chats.is_blocked(transaction, sender.user_id):
        return
    await chats.set_blocked(transaction, sender.user_id, blocked)
    bot = await chats.bot(transaction)
    change = {
        "chat": await chats.get(transaction, sender.user_id),
        "from": sender.user(),
        "date": transaction.now,
        "old_chat_member": _membership(bot, not blocked),
        "new_chat_member": _membership(bot, blocked),
    }
    await updates.put(transaction, "my_chat_member", change)
    transaction.events.append({"type": "profile"})


def _membership(bot: Json, blocked: bool) -> Json:
    return (
        {"status": "kicked", "user": bot, "until_date": 0} if blocked else {"status": "member", "user": bot}
    )


async def _send_album(state: State, transaction: Transaction, post: Post, contents: list[Json]) -> list[Json]:
    plain, found = entities.finish(post.text, [])
    if entities.utf16(plain) > entities.MAXIMUM_CAPTION:
        raise BadRequestError("message caption is too long")
    if plain and contents:
        contents[0] |= {"caption": plain, **({"caption_entities": found} if found else {})}
    if len(contents) > 1:
        album = str(state.random_id())
        contents = [{"media_group_id": album, **content} for content in contents]
    return [await _send(transaction, post, content) for content in contents]


async def _send(transaction: Transaction, post: Post, content: Json) -> Json:
    sender, chat_id, reply_to = post.sender, post.chat_id, post.reply_to
    chat = await chats.get(transaction, chat_id)
    if chat["type"] == "private" and chat_id != sender.user_id:
        raise BadRequestError("chat not found")
    if reply_to is not None and await messages.get(transaction, chat_id, reply_to) is None:
        raise BadRequestError("message to be replied not found")
    if chat["type"] == "private":
        await _block(transaction, sender, blocked=False)
    content = {**content, "reply_to": reply_to}
    message = await messages.add(transaction, chat, sender.user_id, content)
    await _deliver(transaction, "message", message)
    return message


async def _deliver(transaction: Transaction, kind: str, message: Json) -> None:
    """Tell the bot of a message, if it hears of it: in a group it does only when it is addressed."""
    bot = await chats.bot(transaction)
    if message["chat"]["type"] == "private" or _addresses(bot, message):
        await updates.put(transaction, kind, message)


def _addresses(bot: Json, message: Json) -> bool:
    """Privacy mode: commands, replies to the bot and mentions of it (https://core.telegram.org/bots/features)."""
    if message.get("reply_to_message", {}).get("from", {}).get("id") == bot["id"]:
        return True
    text = str(message.get("text", message.get("caption", "")))
    addressed = re.match(r"/\w+(?:@(\w+))?", text)
    if addressed and addressed[1] in {None, bot["username"]}:
        return True
    return re.search(rf"@{bot['username']}\b", text, re.IGNORECASE) is not None
