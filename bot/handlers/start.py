"""/start with its sample, /help, /id."""

import asyncio

from telegram import Update
from telegram.ext import BaseHandler, CallbackQueryHandler, CommandHandler, filters

from bot import keyboards, replies
from bot.context import Context, is_private, person_of, texts_for
from bot.editing import acknowledge
from bot.handlers.drawing import on_draw
from bot.handlers.privacy import on_privacy
from bot.posting import post_and_read
from model.learning import camera

_PAYLOADS = {"draw": on_draw, "privacy": on_privacy}
"""What `t.me/BOT?start=PAYLOAD` opens; anything else greets."""


async def on_start(update: Update, context: Context) -> None:
    """Greet, and offer a sample; or open what the payload of a link names."""
    message = update.effective_message
    assert message is not None  # the filter lets messages through only
    payload = context.args[0] if context.args else ""
    if payload in _PAYLOADS:
        await _PAYLOADS[payload](update, context)
        return
    texts = texts_for(update)
    draw_url = context.parts.draw_url if is_private(message.chat) else None  # Telegram refuses it elsewhere
    await message.reply_html(replies.start(texts), reply_markup=keyboards.start(texts, draw_url))


async def on_sample(update: Update, context: Context) -> None:
    """Post a digit drawn by code, and read it."""
    query = update.callback_query
    assert query is not None  # a CallbackQueryHandler gets nothing else
    await acknowledge(query)
    sample = (await asyncio.to_thread(camera.sample_photos, 1, update.update_id))[0]
    await post_and_read(
        context.bot,
        context.services.reading,
        texts_for(update),
        person_of(update, context),
        sample.jpeg,
        update_id=update.update_id,
    )


async def on_help(update: Update, context: Context) -> None:
    """List what can be done."""
    message = update.effective_message
    assert message is not None  # the filter lets messages through only
    is_admin = person_of(update, context).is_admin
    await message.reply_html(replies.help_(texts_for(update), admin=is_admin))


async def on_id(update: Update, context: Context) -> None:
    """Tell the person their number, for the configuration."""
    message, user = update.effective_message, update.effective_user
    assert message is not None  # the filter lets messages through only
    assert user is not None  # messages come from somebody
    await message.reply_html(replies.ids(texts_for(update), user.id, message.chat_id))


def handlers() -> list[BaseHandler[Update, Context, None]]:
    """What a newcomer uses."""
    new = filters.UpdateType.MESSAGE
    return [
        CommandHandler("start", on_start, new),
        CallbackQueryHandler(on_sample, keyboards.SAMPLE),
        CommandHandler("help", on_help, new),
        CommandHandler("id", on_id, new),
    ]
