"""Tells contributors who asked for it when a correction of theirs has helped."""

import asyncio
import logging

from telegram import ReplyParameters
from telegram.error import TelegramError

from bot import i18n, learning_replies
from bot.context import DigitBot
from storage.errors import StorageError

log = logging.getLogger(__name__)

LOOK_SECONDS = 5.0
"""How often a bot looks whether another version serves by now."""


async def send_when_due(digitbot: DigitBot) -> None:
    """Look whether another version serves, and tell whom it concerns; ends when cancelled."""
    champion = digitbot.parts.services.champion
    told = champion.current.version_id
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        if champion.current.version_id == told:
            continue
        serving = champion.current.version_id
        try:
            await _send(digitbot)
        except StorageError as exc:
            log.warning("receipts wait: %s", exc)
        else:
            told = serving


async def _send(digitbot: DigitBot) -> None:
    for helped in await digitbot.parts.services.receipts.due(digitbot.bot.id):
        try:
            await digitbot.bot.send_message(
                helped.chat_id,
                learning_replies.receipt(i18n.texts(), helped),
                reply_parameters=ReplyParameters(helped.message_id, allow_sending_without_reply=True),
            )
        except TelegramError as exc:
            log.info("a receipt was not delivered: %s", exc)
