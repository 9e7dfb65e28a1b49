"""For administrators: /retrain with its report card, /models, /review, /cancel."""

import asyncio
import contextlib
import logging
import time

from telegram import Message, Update
from telegram.error import TelegramError
from telegram.ext import BaseHandler, CallbackQueryHandler, CommandHandler, filters

from bot import i18n, keyboards, learning_replies, pictures, replies
from bot.context import Context, DigitBot, person_of, texts_for
from bot.editing import acknowledge, if_it_changes
from bot.errors import NotAnAdminError
from bot.i18n import Texts
from bot.report_card_picture import report_card
from bot.services.learning import Progress
from bot.services.people import Person
from bot.services.training_run import Trigger
from storage.errors import StorageError
from storage.records import RunState

log = logging.getLogger(__name__)

EDIT_SECONDS = 2.5
"""Between two edits of the message that shows progress: edits count against Telegram's limits."""

PARTING_SECONDS = 3.0
"""That a bot which is asked to stop waits for its last word."""

VERSIONS_SHOWN = 15
_SERVE_BUTTONS = 6


def admin_of(update: Update, context: Context) -> Person:
    """The administrator who sent an update.

    Raises:
        NotAnAdminError: it was somebody else; the attempt is logged.
    """
    person = person_of(update, context)
    if not person.is_admin:
        log.warning("user %d asked for what only administrators may do", person.user_id)
        raise NotAnAdminError
    return person


async def on_retrain(update: Update, context: Context) -> None:
    """Begin a training, and show how it goes in one message."""
    message = update.effective_message
    assert message is not None  # the filter lets messages through only
    person, texts = admin_of(update, context), texts_for(update)
    run_id = await context.services.learning.retrain(person.user_id)
    shown = await message.reply_html(learning_replies.starting(texts))
    context.digitbot.in_background(_show(run_id, shown, texts, context.digitbot))


async def _show(run_id: int, message: Message, texts: Texts, digitbot: DigitBot) -> None:
    """`_follow`; where the bot stops meanwhile, and with it the training, the message says so."""
    try:
        await _follow(run_id, message, texts, digitbot)
    except asyncio.CancelledError:
        with contextlib.suppress(TelegramError, TimeoutError, StorageError):
            async with asyncio.timeout(PARTING_SECONDS):
                if not (await anext(digitbot.parts.services.learning.watch(run_id))).is_over:
                    await message.edit_text(learning_replies.stopped(texts))
        raise


async def _follow(run_id: int, message: Message, texts: Texts, digitbot: DigitBot) -> None:
    """Edit the message as the training goes on; its end brings the report card."""
    shown, edited_at = "", time.monotonic()
    async for progress in digitbot.parts.services.learning.watch(run_id):
        text = learning_replies.progress(texts, progress)
        is_due = progress.is_over or time.monotonic() - edited_at >= EDIT_SECONDS
        if text != shown and is_due:
            shown, edited_at = text, time.monotonic()
            try:
                await message.edit_text(text)
            except TelegramError as exc:
                log.info("progress was not shown: %s", exc)
    if progress.version_id is not None:
        topic = message.message_thread_id if message.is_topic_message else None
        await _report(progress.version_id, message.chat_id, texts, digitbot, topic)


async def _report(
    version_id: int, chat_id: int, texts: Texts, digitbot: DigitBot, topic: int | None = None
) -> None:
    """Send the report card of a version, with the buttons that decide on it; in a forum to a topic."""
    version = await digitbot.parts.services.learning.version(version_id)
    if version.card is None or version.verdict is None:
        return
    picture = await asyncio.to_thread(report_card, version.card, version.verdict, texts)
    waits = version.can_serve and not version.is_serving
    await digitbot.bot.send_photo(
        chat_id,
        picture,
        caption=learning_replies.report(texts, version),
        reply_markup=keyboards.decide(texts, version_id) if waits else None,
        message_thread_id=topic,
    )


async def report_unasked(progress: Progress, digitbot: DigitBot) -> None:
    """Tell every administrator of a training that none of them asked for, or that none can watch any more."""
    is_unasked = progress.trigger != Trigger.COMMAND and progress.state is RunState.FINISHED
    if not (is_unasked or progress.has_crashed):
        return
    texts = i18n.texts()
    for admin in digitbot.parts.admins:
        try:
            await digitbot.bot.send_message(admin, learning_replies.unasked(texts, progress))
            if progress.version_id is not None:
                await _report(progress.version_id, admin, texts, digitbot)
        except TelegramError as exc:  # one who never wrote to the bot cannot be written to
            log.warning("administrator %d was not told: %s", admin, exc)


async def on_models(update: Update, context: Context) -> None:
    """Show what served when, with buttons for what could serve."""
    message = update.effective_message
    assert message is not None  # the filter lets messages through only
    admin_of(update, context)
    texts, versions = texts_for(update), await context.services.learning.versions(VERSIONS_SHOWN)
    able = [one.id for one in versions if one.can_serve and not one.is_serving][:_SERVE_BUTTONS]
    await message.reply_html(
        learning_replies.models(texts, versions), reply_markup=keyboards.serve(texts, able)
    )


async def on_serve(update: Update, context: Context) -> None:
    """Let the version of the pressed button serve: a candidate for the first time, an older one again."""
    query = update.callback_query
    assert query is not None  # a CallbackQueryHandler gets nothing else
    assert context.match is not None  # its pattern has matched
    person, version_id = admin_of(update, context), int(context.match.group(1))
    learning = context.services.learning
    if (await learning.version(version_id)).services:
        version = await learning.roll_back(person.user_id, version_id)
    else:
        version = await learning.promote(version_id, person.user_id)
    text = learning_replies.serves(texts_for(update), version.id)
    await acknowledge(query, text)
    await _settle(query.message, text)


async def on_reject(update: Update, context: Context) -> None:
    """Remember that a candidate is not wanted, unless another administrator has promoted it meanwhile."""
    query = update.callback_query
    assert query is not None  # a CallbackQueryHandler gets nothing else
    assert context.match is not None  # its pattern has matched
    admin_of(update, context)
    version = await context.services.learning.reject(int(context.match.group(1)))
    told = learning_replies.serves if version.is_serving else learning_replies.rejected
    text = told(texts_for(update), version.id)
    await acknowledge(query, text)
    await _settle(query.message, text)


async def _settle(message: object, text: str) -> None:
    """Put a decision under what it was about, in the place of the buttons."""
    if not isinstance(message, Message):
        return
    with if_it_changes():
        if message.photo:
            await message.edit_caption(f"{message.caption_html or ''}\n\n{text}".strip())
        else:
            await message.edit_text(f"{message.text_html or ''}\n\n{text}".strip())


async def on_cancel(update: Update, context: Context) -> None:
    """Stop the training under way, for administrators; nothing else can be under way."""
    message, texts = update.effective_message, texts_for(update)
    assert message is not None  # the filter lets messages through only
    is_stopped = person_of(update, context).is_admin and await context.services.learning.cancel()
    await message.reply_html(
        learning_replies.cancelling(texts) if is_stopped else replies.nothing_to_cancel(texts)
    )


async def on_review(update: Update, context: Context) -> None:
    """Show the correction that has waited longest for a decision."""
    message = update.effective_message
    assert message is not None  # the filter lets messages through only
    await _show_next(admin_of(update, context), message, texts_for(update), context)


async def on_decision(update: Update, context: Context) -> None:
    """Accept or reject a correction, and show the next one."""
    query = update.callback_query
    assert query is not None  # a CallbackQueryHandler gets nothing else
    assert context.match is not None  # its pattern has matched
    person, texts = admin_of(update, context), texts_for(update)
    word, correction_id = context.match.groups()
    accepted = word == "accept"
    await context.services.review.decide(
        person, int(correction_id), accepted=accepted, update_id=update.update_id
    )
    text = learning_replies.decided(texts, accepted=accepted)
    await acknowledge(query, text)
    await _settle(query.message, text)
    if isinstance(query.message, Message):
        await _show_next(person, query.message, texts, context)


async def _show_next(person: Person, message: Message, texts: Texts, context: Context) -> None:
    waiting = await context.services.review.next(person)
    if waiting is None:
        await message.reply_html(learning_replies.nothing_to_review(texts))
        return
    text = learning_replies.review_item(texts, waiting.correction, waiting.prediction.digits, waiting.count)
    keyboard = keyboards.review(texts, waiting.correction.id)
    if waiting.glyphs:
        picture = await asyncio.to_thread(pictures.enlarged, waiting.glyphs)
        await message.reply_photo(picture, caption=text, reply_markup=keyboard)
    else:
        await message.reply_html(text, reply_markup=keyboard)


def handlers() -> list[BaseHandler[Update, Context, None]]:
    """Each asks `admin_of` first, but /cancel, which answers everybody."""
    new = filters.UpdateType.MESSAGE
    return [
        CommandHandler("retrain", on_retrain, new),
        CommandHandler("models", on_models, new),
        CallbackQueryHandler(on_serve, keyboards.SERVE),
        CallbackQueryHandler(on_reject, keyboards.REJECT),
        CommandHandler("review", on_review, new),
        CallbackQueryHandler(on_decision, keyboards.DECISION),
        CommandHandler("cancel", on_cancel, new),
    ]
