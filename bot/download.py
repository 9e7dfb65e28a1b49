"""Files as Telegram hands them out: sizes looked at first, half files asked for again."""

import asyncio

from telegram import Document, Message, PhotoSize
from telegram.error import BadRequest, TelegramError

from bot.config import Limits
from bot.errors import FileTooLargeError, NotAReadingError, NotDownloadedError

_ATTEMPTS = 3


def attachment_of(message: Message) -> PhotoSize | Document | None:
    """The largest size of a message's photo, or its file; None where it has neither."""
    return message.photo[-1] if message.photo else message.document


async def download(message: Message, limits: Limits) -> bytes:
    """The bytes of a message's photo or file.

    A file that is shorter or longer than announced is asked for again; what comes the last time is taken, and
    judged by the decoder.

    Raises:
        FileTooLargeError: it is larger than allowed, or than Telegram hands out.
        NotDownloadedError: Telegram did not hand it out.
    """
    attachment = attachment_of(message)
    if attachment is None:
        raise NotAReadingError
    if (attachment.file_size or 0) > limits.photo_bytes:
        raise FileTooLargeError
    try:
        async with asyncio.timeout(limits.download_seconds):
            data = await _whole(attachment, limits)
    except TimeoutError as exc:
        raise NotDownloadedError from exc
    if len(data) > limits.photo_bytes:
        raise FileTooLargeError
    return data


async def _whole(attachment: PhotoSize | Document, limits: Limits) -> bytes:
    """The bytes as announced, or what the last attempt brought."""
    data: bytes | None = None
    failure: TelegramError | None = None
    for attempt in range(_ATTEMPTS):
        await asyncio.sleep(attempt)
        try:
            size, data = await _fetch(attachment, limits)
        except TelegramError as exc:
            failure = exc
        else:
            if size in (None, len(data)):
                break
    if data is None:
        raise NotDownloadedError from failure
    return data


async def _fetch(attachment: PhotoSize | Document, limits: Limits) -> tuple[int | None, bytes]:
    """The announced size in bytes, and the bytes."""
    try:
        file = await attachment.get_file()
    except BadRequest as exc:
        if "too big" in exc.message:
            raise FileTooLargeError from exc
        raise
    if (file.file_size or 0) > limits.photo_bytes:
        raise FileTooLargeError
    return file.file_size, bytes(await file.download_as_bytearray())
