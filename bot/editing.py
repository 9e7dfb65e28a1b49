"""Edits of messages that may be gone or say the same already, and answers to presses that may be too old."""

import contextlib
import logging
from collections.abc import Iterator

from telegram import CallbackQuery
from telegram.error import BadRequest

log = logging.getLogger(__name__)


@contextlib.contextmanager
def if_it_changes() -> Iterator[None]:
    """Let an edit be refused: a button was pressed twice, or the message was deleted meanwhile."""
    try:
        yield
    except BadRequest as exc:
        log.info("not edited: %s", exc)


async def acknowledge(query: CallbackQuery, text: str | None = None, *, alert: bool = False) -> bool:
    """Answer a press, with a toast or an alert or without; whether Telegram took it.

    It refuses some seconds after the press. What was pressed is done all the same, and must still be shown.
    """
    try:
        return await query.answer(text, show_alert=alert)
    except BadRequest as exc:
        log.info("a press was answered too late: %s", exc)
        return False
