"""Last of all: whatever no other handler took. One helpful line in private, silence in groups."""

import time

from telegram import Update
from telegram.ext import BaseHandler, CallbackQueryHandler, MessageHandler, filters

from bot import replies
from bot.context import Context, texts_for
from bot.editing import acknowledge


async def on_unknown_command(update: Update, context: Context) -> None:
    """Say that there is no such command."""
    await _hint(update, context, replies.unknown_command(texts_for(update)))


async def on_anything(update: Update, context: Context) -> None:
    """Say what is wanted instead."""
    await _hint(update, context, replies.photo_wanted(texts_for(update)))


async def _hint(update: Update, context: Context, text: str) -> None:
    """One line, not after each of very many: answers are limited, and others wait for theirs."""
    message, user = update.effective_message, update.effective_user
    assert message is not None  # the filter lets messages through only
    assert user is not None  # of private chats
    if not context.parts.hint_rate.wait_for(str(user.id), time.monotonic()):
        await message.reply_html(text, do_quote=True)


async def on_unknown_button(update: Update, context: Context) -> None:
    """Answer a press that no button of ours could have made, or one of an older digitbot."""
    query = update.callback_query
    assert query is not None  # a CallbackQueryHandler gets nothing else
    await acknowledge(query, replies.expired(texts_for(update)), alert=True)


def handlers() -> list[BaseHandler[Update, Context, None]]:
    """In private only; service messages (somebody pinned, the chat was made) are nobody's question."""
    private = filters.UpdateType.MESSAGE & filters.ChatType.PRIVATE
    return [
        MessageHandler(private & filters.COMMAND, on_unknown_command),
        MessageHandler(private & ~filters.StatusUpdate.ALL, on_anything),
        CallbackQueryHandler(on_unknown_button),
    ]
