"""Photos, images sent as files, albums, edited photos, and /read in groups."""

import contextlib
import time
from dataclasses import dataclass

from telegram import Message, Update
from telegram.error import BadRequest, TelegramError
from telegram.ext import BaseHandler, CommandHandler, MessageHandler, filters

from bot import keyboards, replies
from bot.albums import Picture
from bot.context import Context, busy, is_addressed, texts_for
from bot.download import attachment_of, download
from bot.errors import NotAReadingError, RefusedError
from bot.handlers.failures import sentence
from bot.i18n import Texts
from bot.services.reading import PhotoSource, StoredReading
from model.errors import UnreadablePhotoError


@dataclass(frozen=True)
class Request:
    """A photo to read, and the message that asks for it: the same one, but for /read."""

    update: Update
    asking: Message
    photo: Message


async def on_photo(update: Update, context: Context) -> None:
    """Answer a photo with its reading and the buttons that correct it."""
    message = update.effective_message
    assert message is not None  # the filters let messages through only
    if not is_addressed(message, context.bot) or not await is_allowed(update, context):
        return
    request = Request(update, message, message)
    known = await context.services.reading.find(_source(request, context))
    if known is not None and (known.answer_message_id is not None or _is_edited_in_album(update)):
        return  # another caption, or an update that came twice
    if message.media_group_id is not None:
        await _read_of_album(request, message.media_group_id, context)
    else:
        await _read(request, context)


async def on_read(update: Update, context: Context) -> None:
    """Read the photo that /read replies to; of somebody else's photo no glyph is kept."""
    message = update.effective_message
    assert message is not None  # the filters let messages through only
    photo = message.reply_to_message
    if photo is None or attachment_of(photo) is None:
        await message.reply_html(replies.reply_to_a_photo(texts_for(update), "/read"), do_quote=True)
    elif await is_allowed(update, context):
        await _read(Request(update, message, photo), context)


async def is_allowed(update: Update, context: Context) -> bool:
    """Whether the person's rate allows to read another photo; says so once where it does not."""
    assert update.effective_user is not None  # photos come from somebody
    person, now = str(update.effective_user.id), time.monotonic()
    wait = context.parts.photo_rate.wait_for(person, now)
    if wait and not context.parts.refusal_rate.wait_for(person, now) and update.effective_message:
        await update.effective_message.reply_html(replies.too_fast(texts_for(update), wait), do_quote=True)
    return not wait


def _is_edited_in_album(update: Update) -> bool:
    """Whether it is known of no picture that it was answered: an album's answer is about others too."""
    return update.edited_message is not None and update.edited_message.media_group_id is not None


async def _read(request: Request, context: Context) -> None:
    """Read one photo, store the reading, answer, and remember the answer."""
    source = _source(request, context)
    context.quietly(request.asking.set_reaction("👀"))
    async with busy(request.asking.chat, context):
        data = await download(request.photo, context.parts.config.limits)
        stored = await context.services.reading.read_and_store(data, source)
    texts = texts_for(request.update)
    message_id = await _show(texts, stored, request)
    await context.services.reading.set_answer(stored.prediction.id, message_id, source)


async def _show(texts: Texts, stored: StoredReading, request: Request) -> int:
    """Answer, in the place of the answer to the photo that was there before; the message's id."""
    text, keyboard = replies.prediction(texts, stored.prediction), keyboards.under(texts, stored.prediction)
    if stored.replaces_answer is not None:
        with contextlib.suppress(BadRequest):  # deleted meanwhile
            await request.asking.get_bot().edit_message_text(
                text, request.asking.chat_id, stored.replaces_answer, reply_markup=keyboard
            )
            return stored.replaces_answer
    sent = await request.asking.reply_html(text, reply_markup=keyboard, reply_to_message_id=request.photo.id)
    return sent.id


async def _read_of_album(request: Request, album: str, context: Context) -> None:
    """Read one picture of an album; the whole is answered when no further one comes."""
    texts, source = texts_for(request.update), _source(request, context)
    context.quietly(request.asking.set_reaction("👀"))
    key = request.photo.chat_id, album
    with context.parts.albums.coming(key):
        try:
            data = await download(request.photo, context.parts.config.limits)
            stored = await context.services.reading.read_and_store(data, source)
            line = replies.album_line(texts, stored.prediction)
        except (UnreadablePhotoError, RefusedError) as exc:
            line = sentence(texts, exc, context.parts.config.limits.photo_bytes) or str(exc)
    context.inbox.defer(request.update)
    picture = Picture(request.update, request.photo, line)
    context.application.create_task(_answer_album(key, picture, context), update=request.update)


async def _answer_album(key: tuple[int, str], picture: Picture, context: Context) -> None:
    """Answer an album, if this picture was its last."""
    pictures = await context.parts.albums.collect(key, picture)
    if not pictures:
        return
    text = replies.album(texts_for(picture.update), [one.line for one in pictures])
    try:
        await pictures[0].message.reply_html(text, do_quote=True)
    except TelegramError as exc:  # as with any other answer: told if it can be, and over
        await context.digitbot.process_error(picture.update, exc)
    for one in pictures:
        await context.inbox.close(one.update)


def _source(request: Request, context: Context) -> PhotoSource:
    """Where a photo comes from; only one's own is kept, never that of somebody who speaks for a group."""
    attachment, sender = attachment_of(request.photo), request.asking.from_user
    if attachment is None or sender is None:
        raise NotAReadingError
    is_own = request.photo.from_user == sender and request.photo.sender_chat is None
    return PhotoSource(
        bot_id=context.bot.id,
        chat_id=request.photo.chat_id,
        message_id=request.photo.id,
        file_unique_id=attachment.file_unique_id,
        user_id=sender.id,
        keeps_glyphs=is_own and request.photo.forward_origin is None,
        update_id=request.update.update_id,
    )


def handlers() -> list[BaseHandler[Update, Context, None]]:
    """Photos, and files of any kind: what they really are is seen in their bytes."""
    with_photo = filters.PHOTO | filters.Document.ALL
    new_or_edited = filters.UpdateType.MESSAGE | filters.UpdateType.EDITED_MESSAGE
    return [
        MessageHandler(new_or_edited & with_photo, on_photo),
        CommandHandler("read", on_read, filters.UpdateType.MESSAGE),
    ]
