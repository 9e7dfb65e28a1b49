"""Pictures that the bot itself posts into somebody's chat and then reads: a sample, a drawing."""

from telegram import Bot, Message

from bot import keyboards, replies
from bot.i18n import Texts
from bot.services.people import Person
from bot.services.reading import PhotoSource, ReadingService


async def post_and_read(
    bot: Bot,
    reading: ReadingService,
    texts: Texts,
    person: Person,
    picture: bytes,
    *,
    update_id: int | None = None,
) -> Message:
    """Post a picture into a person's private chat, and answer it as if they had sent it.

    With the number of the update that asked for it, if one did, nothing is stored of who was forgotten
    meanwhile.

    Raises:
        ForgottenError: who asked for it was forgotten meanwhile.
    """
    posted = await bot.send_photo(person.user_id, picture)
    source = PhotoSource(
        bot_id=person.bot_id,
        chat_id=posted.chat_id,
        message_id=posted.id,
        file_unique_id=posted.photo[-1].file_unique_id,
        user_id=person.user_id,
        keeps_glyphs=True,
        update_id=update_id,
    )
    stored = await reading.read_and_store(picture, source)
    answer = await posted.reply_html(
        replies.prediction(texts, stored.prediction),
        reply_markup=keyboards.under(texts, stored.prediction),
        do_quote=True,
    )
    await reading.set_answer(stored.prediction.id, answer.id, source)
    return posted
