"""The one error handler: logs first, then tells the person one sentence; never raises."""

import logging
import secrets
from collections.abc import Callable

from telegram import Update
from telegram.error import BadRequest, Forbidden, NetworkError, TelegramError

from bot import i18n, learning_replies, replies
from bot.context import Context, texts_for
from bot.editing import acknowledge
from bot.errors import (
    ConsentChangedError,
    FileTooLargeError,
    ForgottenError,
    NotAnAdminError,
    NotAReadingError,
    NotDownloadedError,
    NotForYouError,
    NothingToCorrectError,
    NothingToLearnError,
    NothingToRollBackToError,
    NothingToUndoError,
    NotYoursError,
)
from bot.i18n import Texts
from model.errors import UnreadablePhotoError
from storage.errors import (
    CheckpointGoneError,
    CorrectionNotCountingError,
    DatabaseBusyError,
    DatabaseFullError,
    DatabaseUnavailableError,
    RunInProgressError,
    VersionForgottenError,
    VersionNotFoundError,
    VersionRefusedError,
    VersionUnconsentedError,
)

log = logging.getLogger(__name__)

_SENTENCES: dict[type[Exception], Callable[[Texts], str]] = {
    NotAReadingError: replies.not_a_reading,
    NothingToCorrectError: replies.nothing_to_correct,
    NothingToUndoError: replies.nothing_to_undo,
    NotYoursError: replies.not_yours,
    NotForYouError: replies.not_for_you,
    NotAnAdminError: replies.admins_only,
    ConsentChangedError: replies.consent_changed,
    NotDownloadedError: replies.not_downloaded,
    NothingToLearnError: learning_replies.nothing_to_learn,
    NothingToRollBackToError: learning_replies.nothing_to_roll_back_to,
    CorrectionNotCountingError: learning_replies.not_counting,
    RunInProgressError: learning_replies.training_under_way,
    VersionNotFoundError: learning_replies.cannot_serve,
    VersionRefusedError: learning_replies.cannot_serve,
    VersionForgottenError: learning_replies.cannot_serve,
    VersionUnconsentedError: learning_replies.cannot_serve,
    CheckpointGoneError: learning_replies.cannot_serve,
}

_REFUSALS = (DatabaseBusyError, DatabaseFullError, DatabaseUnavailableError)
"""What the database says for reasons outside of digitbot."""


def sentence(texts: Texts, error: Exception, size_limit: int) -> str | None:
    """What a person is told of an error that is no fault of ours; None where it is one."""
    if isinstance(error, UnreadablePhotoError):
        return replies.unreadable(texts, error)
    if isinstance(error, FileTooLargeError):
        return replies.file_too_large(texts, size_limit)
    known = _SENTENCES.get(type(error))
    return None if known is None else known(texts)


async def on_error(update: object, context: Context) -> None:
    """Log an error, and answer the person behind the update, if there is one."""
    error = context.error
    assert error is not None  # PTB calls this with one
    if isinstance(error, Forbidden):
        log.info("not delivered: %s", error)  # blocked by the person, or put out of the group
        return
    if isinstance(error, ForgottenError):
        log.info("not answered: its sender was forgotten")
        return
    texts = texts_for(update) if isinstance(update, Update) else i18n.texts()
    if isinstance(error, NotAReadingError) and isinstance(update, Update) and update.callback_query:
        text = replies.expired(texts)
    else:
        text = sentence(texts, error, context.parts.config.limits.photo_bytes) or _log(texts, error, update)
    if isinstance(update, Update):
        await _tell(update, text)


def _log(texts: Texts, error: Exception, update: object) -> str:
    """Write an unexpected error to the log; return what the person is told."""
    where = f"update {update.update_id}" if isinstance(update, Update) else "a task"
    if isinstance(error, NetworkError) and not isinstance(error, BadRequest):
        log.warning("%s: Telegram did not confirm: %s", where, error)
        return replies.unconfirmed(texts)
    if isinstance(error, _REFUSALS):
        log.error("%s: nothing was stored: %s", where, error)
        return replies.cannot_store(texts)
    error_id = secrets.token_hex(4)
    log.error("error %s in %s", error_id, where, exc_info=error)
    return replies.failed(texts, error_id)


async def _tell(update: Update, text: str) -> None:
    """An alert for a press that is not too old for one, else a reply."""
    query, message = update.callback_query, update.effective_message
    try:
        if query is not None and await acknowledge(query, replies.plain(text), alert=True):
            return
        if message is not None:
            await message.reply_html(text, do_quote=True)
    except TelegramError as exc:
        log.warning("an error could not be told: %s", exc)
