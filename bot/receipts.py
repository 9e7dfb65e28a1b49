"""Tells contributors who asked for it when a correction of theirs has helped."""

import asyncio
import logging
from collections import defaultdict

from telegram import ReplyParameters
from telegram.error import TelegramError

from bot import i18n, learning_replies
from bot.context import DigitBot
from bot.services.receipts import Helped
from storage.errors import StorageError

log = logging.getLogger(__name__)

LOOK_SECONDS = 5.0
"""How often a bot looks whether another version serves by now."""


async def send_when_due(digitbot: DigitBot) -> None:
    """Tell whom it concerns at the start, and whenever another version serves; ends when cancelled."""
    champion = digitbot.parts.services.champion
    told: int | None = None
    while True:
        serving = champion.current.version_id
        if serving != told:
            try:
                await _send(digitbot)
            except StorageError as exc:
                log.warning("receipts wait: %s", exc)
            else:
                told = serving
        await asyncio.sleep(LOOK_SECONDS)


async def _send(digitbot: DigitBot) -> None:
    """One message to each person in a chat, however many corrections of theirs have helped."""
    due: dict[tuple[int, int], list[Helped]] = defaultdict(list)
    for helped in await digitbot.parts.services.receipts.due(digitbot.bot.id):
        due[helped.chat_id, helped.user_id].append(helped)
    for (chat_id, _), theirs in due.items():
        try:
            await digitbot.bot.send_message(
                chat_id,
                learning_replies.receipt(i18n.texts(), theirs),
                reply_parameters=ReplyParameters(theirs[-1].message_id, allow_sending_without_reply=True),
            )
        except TelegramError as exc:
            log.info("a receipt was not delivered: %s", exc)
