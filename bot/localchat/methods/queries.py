"""Answers to pressed buttons."""

from sqlalchemy import select, update

from bot.localchat import entities, tables
from bot.localchat.errors import BadRequestError
from bot.localchat.methods.method import Method
from bot.localchat.parameters import Parameters
from bot.localchat.state import State

TIMEOUT = 15
"""Seconds in which a press can be answered."""

MAXIMUM_ANSWER = 200
TOO_OLD = "query is too old and response timeout expired or query ID is invalid"


async def answer_callback_query(state: State, parameters: Parameters) -> bool:
    """Stop the button's spinner, with or without a notice."""
    text = parameters.text("text")
    if entities.utf16(text) > MAXIMUM_ANSWER:
        raise BadRequestError("MESSAGE_TOO_LONG")
    queries = tables.callback_queries
    query_id = parameters.text("callback_query_id")
    async with state.transaction() as transaction:
        select_query = select(queries).where(queries.c.query_id == query_id)
        row = (await transaction.connection.execute(select_query)).one_or_none()
        if row is None or row.answered or transaction.now - row.created_at > TIMEOUT:
            raise BadRequestError(TOO_OLD)
        answered = update(queries).where(queries.c.query_id == query_id).values(answered=True)
        await transaction.connection.execute(answered)
        transaction.events.append(
            {
                "type": "answer",
                "chat_id": row.chat_id,
                "user_id": row.user_id,
                "query_id": query_id,
                "text": text,
                "show_alert": parameters.boolean("show_alert"),
                "url": parameters.text("url"),
            }
        )
    return True


METHODS: dict[str, Method] = {"answerCallbackQuery": answer_callback_query}
