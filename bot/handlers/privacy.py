"""/privacy with the choice to let corrections train, receipts, and /forget_me."""

from telegram import InlineKeyboardMarkup, Message, Update
from telegram.ext import BaseHandler, CallbackQueryHandler, CommandHandler, filters

from bot import keyboards, replies
from bot.context import Context, person_of, texts_for
from bot.editing import acknowledge, if_it_changes
from bot.errors import NotForYouError
from bot.housekeeping import BACKUPS_KEPT
from bot.services.consent import TEXT_VERSION, Choice
from bot.services.people import Person


async def on_privacy(update: Update, context: Context) -> None:
    """Show the policy, the present choice, and the buttons that change it."""
    message = update.effective_message
    assert message is not None  # the filter lets messages through only
    choice = await context.services.consent.choice(person_of(update, context))
    text, keyboard = _policy(update, context, choice)
    await message.reply_html(text, reply_markup=keyboard)


async def on_consent(update: Update, context: Context) -> None:
    """Store a yes or a no."""
    assert context.match is not None  # the pattern of the handler has matched
    answer, version, asked = context.match.groups()
    person, given = _presser(update, context, asked), answer == "yes"
    await context.services.consent.choose(
        person, given=given, version=int(version), update_id=update.update_id
    )
    texts = texts_for(update)
    await _settle(update, replies.consent_given(texts) if given else replies.consent_refused(texts))


async def on_receipts(update: Update, context: Context) -> None:
    """Store whether the person wants to be told when a correction has helped."""
    query = update.callback_query
    assert query is not None  # a CallbackQueryHandler gets nothing else
    assert context.match is not None  # its pattern has matched
    word, asked = context.match.groups()
    person, wanted = _presser(update, context, asked), word == "on"
    await context.services.consent.set_receipts(person, wanted=wanted, update_id=update.update_id)
    await acknowledge(query)
    text, keyboard = _policy(update, context, await context.services.consent.choice(person))
    if isinstance(query.message, Message):
        with if_it_changes():
            await query.message.edit_text(text, reply_markup=keyboard)


async def on_forget_me(update: Update, context: Context) -> None:
    """Ask before everything of a person is deleted."""
    message = update.effective_message
    assert message is not None  # the filter lets messages through only
    texts = texts_for(update)
    keyboard = keyboards.forget(texts, person_of(update, context).user_id)
    await message.reply_html(replies.forget_question(texts), reply_markup=keyboard)


async def on_forget(update: Update, context: Context) -> None:
    """Delete everything of the person who pressed, or nothing."""
    assert context.match is not None  # the pattern of the handler has matched
    texts = texts_for(update)
    answer, asked = context.match.groups()
    person = _presser(update, context, asked)
    if answer == "no":
        await _settle(update, replies.kept(texts))
        return
    erased = await context.services.consent.forget(person, update.update_id)
    await _settle(update, replies.forgotten(texts, erased.predictions))


def _presser(update: Update, context: Context, asked: str) -> Person:
    """Who pressed. Raises `NotForYouError` where, in a group, it was not who had been asked."""
    person = person_of(update, context)
    if str(person.user_id) != asked:
        raise NotForYouError
    return person


async def _settle(update: Update, text: str) -> None:
    """Put the outcome in the place of the question, so that it cannot be answered twice."""
    query = update.callback_query
    assert query is not None  # called for presses only
    await acknowledge(query)
    if isinstance(query.message, Message):
        with if_it_changes():
            await query.message.edit_text(text)


def _policy(update: Update, context: Context, choice: Choice) -> tuple[str, InlineKeyboardMarkup]:
    texts, user_id = texts_for(update), person_of(update, context).user_id
    text = replies.privacy(
        texts,
        given=choice.given,
        receipts=choice.wants_receipts,
        retention_days=context.parts.config.learning.retention_days,
        copy_days=BACKUPS_KEPT.days,
    )
    keyboard = keyboards.privacy(
        texts, user_id, TEXT_VERSION, given=choice.given, receipts=choice.wants_receipts
    )
    return text, keyboard


def handlers() -> list[BaseHandler[Update, Context, None]]:
    """Policy, choice, forgetting."""
    new = filters.UpdateType.MESSAGE
    return [
        CommandHandler("privacy", on_privacy, new),
        CallbackQueryHandler(on_consent, keyboards.CONSENT),
        CallbackQueryHandler(on_receipts, keyboards.RECEIPTS),
        CommandHandler("forget_me", on_forget_me, new),
        CallbackQueryHandler(on_forget, keyboards.FORGET),
    ]
