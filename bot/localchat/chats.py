"""The chats: one private chat for each person, and a group where all of them meet."""

from sqlalchemy import select, update

from bot.localchat import settings, tables
from bot.localchat.errors import BadRequestError, ForbiddenError
from bot.localchat.parameters import Parameters
from bot.localchat.state import Json, Transaction

BOT_NAME = "digitbot"


async def get(transaction: Transaction, chat_id: int) -> Json:
    """A chat as the Bot API describes it in messages.

    Raises:
        BadRequestError: there is no such chat.
    """
    query = select(tables.chats, tables.people.c.username).select_from(
        tables.chats.outerjoin(tables.people, tables.people.c.user_id == tables.chats.c.chat_id)
    )
    row = (await transaction.connection.execute(query.where(tables.chats.c.chat_id == chat_id))).one_or_none()
    if row is None:
        raise BadRequestError("chat not found")
    if row.type == "private":
        return {"id": row.chat_id, "type": "private", "first_name": row.title, "username": row.username}
    return {"id": row.chat_id, "type": row.type, "title": row.title}


async def all_chats(transaction: Transaction) -> list[Json]:
    """Every chat, private ones first."""
    rows = await transaction.connection.execute(
        select(tables.chats.c.chat_id).order_by(tables.chats.c.type.desc())
    )
    return [await get(transaction, chat_id) for chat_id in rows.scalars()]


async def named(transaction: Transaction, parameters: Parameters) -> Json:
    """The chat that a call's `chat_id` names."""
    if not parameters.text("chat_id"):
        raise BadRequestError("chat_id is empty")
    return await get(transaction, parameters.integer("chat_id"))  # what is no number is 0, which no chat has


async def open_to_bot(transaction: Transaction, parameters: Parameters) -> Json:
    """The chat that a call names, if the bot may write there.

    Raises:
        ForbiddenError: its person has stopped the bot.
    """
    chat = await named(transaction, parameters)
    if await is_blocked(transaction, chat["id"]):
        raise ForbiddenError("bot was blocked by the user")
    return chat


async def is_blocked(transaction: Transaction, user_id: int) -> bool:
    """Whether the person has stopped the bot."""
    query = select(tables.people.c.blocked_bot).where(tables.people.c.user_id == user_id)
    return bool((await transaction.connection.execute(query)).scalar())


async def set_blocked(transaction: Transaction, user_id: int, blocked: bool) -> None:
    """Stop the bot for a person, or start it again."""
    statement = update(tables.people).where(tables.people.c.user_id == user_id).values(blocked_bot=blocked)
    await transaction.connection.execute(statement)


async def bot(transaction: Transaction) -> Json:
    """The bot as a User, with the name that it has given itself."""
    names = await settings.read(transaction.connection, "name", {})
    return transaction.identity.bot(names.get("", BOT_NAME))


async def user(transaction: Transaction, user_id: int) -> Json:
    """The User with this id: the bot or a person."""
    if user_id == transaction.identity.bot_id:
        return await bot(transaction)
    account = transaction.identity.account(user_id)
    if account is None:
        raise BadRequestError("user not found")
    return account.user()
