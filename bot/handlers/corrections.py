"""/correct, the keypad, /undo: what a person says that a photo shows."""

import re

from telegram import Message, Update
from telegram.ext import BaseHandler, CallbackQueryHandler, CommandHandler, MessageHandler, filters

from bot import keyboards, replies
from bot.context import Context, person_of, texts_for
from bot.editing import acknowledge, if_it_changes
from bot.errors import NotAReadingError
from bot.i18n import Texts
from bot.services.consent import TEXT_VERSION
from bot.services.corrections import Corrected, Undone
from storage.records import PredictionRecord

LONGEST = 200
"""Digits that /correct takes."""

_DIGITS = re.compile(r"[0-9][0-9\s]*")


async def on_correct(update: Update, context: Context) -> None:
    """Store what /correct says of the photo or answer that it replies to, else of the sender's last photo."""
    message = update.effective_message
    assert message is not None  # the filter lets messages through only
    said = " ".join((message.text or "").split()[1:])
    if not _DIGITS.fullmatch(said) or len(said) > LONGEST:
        await message.reply_html(replies.correct_usage(texts_for(update), said), do_quote=True)
        return
    await _correct(update, context, message, said)


async def on_digits(update: Update, context: Context) -> None:
    """A number in reply to a photo that was read, or to its answer, corrects it like /correct does."""
    message = update.effective_message
    assert message is not None  # the filter lets messages through only
    await _correct(update, context, message, message.text or "")


async def _correct(update: Update, context: Context, message: Message, said: str) -> None:
    texts, person, replied = texts_for(update), person_of(update, context), message.reply_to_message
    if replied is None:
        prediction = await context.services.corrections.latest(person, message.chat_id)
    else:
        prediction = await context.services.corrections.find(person, message.chat_id, replied.id)
    corrected = await context.services.corrections.correct(
        person,
        prediction.id,
        _in_lines(said, prediction),
        in_chat=message.chat_id,
    )
    context.quietly(message.set_reaction("✍"))
    await _show(texts, corrected.prediction.id, context)
    await message.reply_html(_receipt(texts, corrected, is_last=replied is None), do_quote=True)
    await _ask_consent(corrected, update, message, context)


async def on_keypad(update: Update, context: Context) -> None:
    """Store the digit that was pressed under an answer, and say so in a toast."""
    query, chat = update.callback_query, update.effective_chat
    assert query is not None  # a CallbackQueryHandler gets nothing else
    assert context.match is not None  # its pattern has matched
    if chat is None:
        raise NotAReadingError
    person = person_of(update, context)
    prediction_id, pressed = context.match.groups()
    digits = "" if pressed == keyboards.NOT_A_DIGIT else pressed
    corrected = await context.services.corrections.correct(
        person,
        int(prediction_id),
        digits,
        in_chat=chat.id,
    )
    texts = texts_for(update)
    await acknowledge(query, replies.saved(texts, digits))
    await _show(texts, corrected.prediction.id, context)
    if isinstance(query.message, Message):
        await _ask_consent(corrected, update, query.message, context)


async def on_undo(update: Update, context: Context) -> None:
    """Take the sender's last correction in this chat back."""
    message = update.effective_message
    assert message is not None  # the filter lets messages through only
    person, replied = person_of(update, context), message.reply_to_message
    prediction = None
    if replied is not None:
        prediction = await context.services.corrections.find(person, message.chat_id, replied.id)
    undone = await context.services.corrections.undo(
        person,
        in_chat=message.chat_id,
        update_id=update.update_id,
        prediction_id=None if prediction is None else prediction.id,
    )
    texts = texts_for(update)
    await message.reply_html(_taken_back(texts, undone), do_quote=True)
    await _show(texts, undone.prediction.id, context)


async def on_undo_button(update: Update, context: Context) -> None:
    """Take the correction back that the pressed button stands under."""
    query, chat = update.callback_query, update.effective_chat
    assert query is not None  # a CallbackQueryHandler gets nothing else
    assert context.match is not None  # its pattern has matched
    if chat is None:
        raise NotAReadingError
    undone = await context.services.corrections.undo(
        person_of(update, context),
        in_chat=chat.id,
        update_id=update.update_id,
        prediction_id=int(context.match.group(1)),
        shown=True,
    )
    texts = texts_for(update)
    await acknowledge(query, replies.plain(_taken_back(texts, undone)))
    await _show(texts, undone.prediction.id, context)


def _in_lines(said: str, prediction: PredictionRecord) -> str:
    """Digits with the line breaks of the reading where they are as many, for nobody types those."""
    digits = "".join(said.split())
    if len(digits) != len(prediction.digits.replace("\n", "")):
        return digits
    left = iter(digits)
    return "".join(each if each == "\n" else next(left) for each in prediction.digits)


def _receipt(texts: Texts, corrected: Corrected, *, is_last: bool) -> str:
    prediction, correction = corrected.prediction, corrected.correction
    if not correction.is_current:
        counting = None if corrected.counting is None else corrected.counting.digits
        return replies.other_length(texts, len(prediction.glyphs), correction.digits, counting)
    return replies.correction_saved(texts, prediction.digits, correction.digits, last=is_last)


def _taken_back(texts: Texts, undone: Undone) -> str:
    counting = None if undone.counting is None else undone.counting.digits
    return replies.undone(texts, undone.correction.digits, counting)


async def _show(texts: Texts, prediction_id: int, context: Context) -> None:
    """Show in the answer itself what counts now: a correction, or what was read where there is none.

    It is looked up here, for since it was stored another press or another photo may have come.
    """
    prediction, counting = await context.services.corrections.standing(prediction_id)
    if (
        prediction.is_superseded or prediction.answer_message_id is None
    ):  # an album's answer is about others too
        return
    if counting is None:
        text, keyboard = replies.prediction(texts, prediction), keyboards.under(texts, prediction)
    else:
        text = replies.corrected(texts, prediction.digits, counting.digits)
        keyboard = keyboards.corrected(texts, prediction.id)
    with if_it_changes():
        await context.bot.edit_message_text(
            text, prediction.chat_id, prediction.answer_message_id, reply_markup=keyboard
        )


async def _ask_consent(corrected: Corrected, update: Update, message: Message, context: Context) -> None:
    """Ask once, after the first correction, whether corrections may train."""
    if not corrected.asks_consent:
        return
    texts, person = texts_for(update), person_of(update, context)
    async with context.services.consent.asking(person) as asks:
        if asks:
            keyboard = keyboards.consent(texts, person.user_id, TEXT_VERSION)
            await message.reply_html(replies.ask_consent(texts), reply_markup=keyboard)


class _RepliedDigits(filters.MessageFilter):
    """A number, and nothing else, in reply to something."""

    def filter(self, message: Message) -> bool:
        return (
            message.reply_to_message is not None
            and len(message.text or "") <= LONGEST
            and bool(_DIGITS.fullmatch(message.text or ""))
        )


def handlers() -> list[BaseHandler[Update, Context, None]]:
    """What corrects, and what takes it back."""
    new = filters.UpdateType.MESSAGE
    return [
        CommandHandler("correct", on_correct, new),
        MessageHandler(new & filters.ChatType.PRIVATE & _RepliedDigits(), on_digits),
        CallbackQueryHandler(on_keypad, keyboards.FIX),
        CommandHandler("undo", on_undo, new),
        CallbackQueryHandler(on_undo_button, keyboards.UNDO),
    ]
