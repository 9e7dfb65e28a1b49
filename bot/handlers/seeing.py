"""/why and "What I saw": a picture of the photo, the ink found in it, and what the network was shown."""

import asyncio

from telegram import Message, Update
from telegram.ext import BaseHandler, CallbackQueryHandler, CommandHandler, filters

from bot import keyboards, pictures, replies
from bot.context import Context, busy, texts_for
from bot.download import attachment_of, download
from bot.editing import acknowledge
from bot.errors import NotAReadingError
from bot.handlers.photos import is_allowed


async def on_why(update: Update, context: Context) -> None:
    """Show what was seen in the photo that /why replies to, directly or through the answer."""
    message = update.effective_message
    assert message is not None  # the filter lets messages through only
    replied = message.reply_to_message
    if replied is None or attachment_of(replied) is None:
        await message.reply_html(replies.why_usage(texts_for(update)), do_quote=True)
        return
    await _show(update, context, replied, message)


async def on_why_button(update: Update, context: Context) -> None:
    """Show what was seen in the photo that the answer with the pressed button replies to."""
    query = update.callback_query
    assert query is not None  # a CallbackQueryHandler gets nothing else
    answer = query.message
    photo = answer.reply_to_message if isinstance(answer, Message) else None
    if photo is None or attachment_of(photo) is None:
        raise NotAReadingError
    await acknowledge(query)
    await _show(update, context, photo, photo)


async def _show(update: Update, context: Context, photo: Message, asking: Message) -> None:
    """Photos are not kept, so this one is fetched again, and looked at with the network that serves now."""
    if not await is_allowed(update, context):
        return
    async with busy(photo.chat, context):
        data = await download(photo, context.parts.config.limits)
        sight = await context.services.reading.look(data)
        picture = await asyncio.to_thread(pictures.what_was_seen, sight.page, sight.reading)
    await asking.reply_photo(picture, caption=replies.saw(texts_for(update)), do_quote=True)


def handlers() -> list[BaseHandler[Update, Context, None]]:
    """The command and the button."""
    return [
        CommandHandler("why", on_why, filters.UpdateType.MESSAGE),
        CallbackQueryHandler(on_why_button, keyboards.WHY),
    ]
