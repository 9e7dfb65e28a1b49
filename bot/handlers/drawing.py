"""/draw: the page on which a digit is drawn."""

from telegram import Update
from telegram.ext import BaseHandler, CommandHandler, filters

from bot import keyboards, replies
from bot.context import Context, is_private, texts_for


async def on_draw(update: Update, context: Context) -> None:
    """Offer the draw page; its button works in private chats, and where the page has a public address."""
    message, url = update.effective_message, context.parts.draw_url
    assert message is not None  # the filter lets messages through only
    texts = texts_for(update)
    if url is None:
        await message.reply_html(replies.draw_unavailable(texts))
    elif not is_private(message.chat):
        await message.reply_html(replies.draw_in_private(texts))
    else:
        await message.reply_html(replies.draw(texts), reply_markup=keyboards.draw(texts, url))


def handlers() -> list[BaseHandler[Update, Context, None]]:
    """The one command."""
    return [CommandHandler("draw", on_draw, filters.UpdateType.MESSAGE)]
