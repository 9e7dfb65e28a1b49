"""Last of all: whatever no other handler took. One helpful line in private, silence in groups."""

from telegram import Update
from telegram.ext import BaseHandler, CallbackQueryHandler, MessageHandler, filters

from bot import replies
from bot.context import Context, texts_for
from bot.editing import acknowledge


async def on_unknown_command(update: Update, context: Context) -> None:
    """Say that there is no such command."""
    message = update.effective_message
    assert message is not None  # the filter lets messages through only
    await message.reply_html(replies.unknown_command(texts_for(update)))


async def on_anything(update: Update, context: Context) -> None:
    """Say what is wanted instead."""
    message = update.effective_message
    assert message is not None  # the filter lets messages through only
    await message.reply_html(replies.photo_wanted(texts_for(update)), do_quote=True)


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
