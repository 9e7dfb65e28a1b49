"""Long polling: fetch, let the inbox commit, and only then let the next request tell Telegram."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from telegram import Bot
from telegram.error import Conflict, InvalidToken, TelegramError

from bot import updates
from bot.errors import UnavailableError
from bot.inbox import Inbox
from bot.request import FloodError
from storage.errors import StorageError

log = logging.getLogger(__name__)

ALLOWED_UPDATES = ("message", "edited_message", "callback_query")
"""What is handled, and nothing else."""

WAIT = 25
"""Seconds for which Telegram may keep a request open until there is something."""

READ_TIMEOUT = WAIT + 20.0

_SHORTEST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0
_CONFLICT = (
    "another process polls with the same token, so each gets only a part of the updates; stop one of them"
)


class Poller:
    """Fetches updates for as long as it runs; nothing that Telegram or the database does ends it.

    Args:
        bot: initialised.
        inbox: commits what is fetched.
        now: the clock.
    """

    def __init__(self, bot: Bot, inbox: Inbox, now: Callable[[], datetime]) -> None:
        self._bot, self._inbox, self._now = bot, inbox, now
        self._offset = 0
        self.polled_at: datetime | None = None

    async def run(self) -> None:
        """Fetch until cancelled.

        Raises:
            UnavailableError: Telegram no longer knows the token.
        """
        pause = 0.0
        while True:
            try:
                await self._poll()
                pause = 0.0
                continue
            except InvalidToken as exc:
                raise UnavailableError("Telegram refuses the token: get a valid one from @BotFather") from exc
            except FloodError as exc:
                pause = exc.retry_after
            except Conflict:
                pause = max(pause, _LONGEST_PAUSE / 6)
                log.warning(_CONFLICT)
            except (TelegramError, StorageError) as exc:
                log.warning("updates cannot be fetched: %s: %s", type(exc).__name__, exc)
            except Exception:
                log.exception("updates could not be understood")
            pause = min(max(pause * 1.5, _SHORTEST_PAUSE), _LONGEST_PAUSE)
            await asyncio.sleep(pause)

    async def _poll(self) -> None:
        await self._inbox.room()
        payloads = await self._bot._post(  # noqa: SLF001 - `get_updates` fails where one of all is not understood
            "getUpdates",
            {"offset": self._offset, "timeout": WAIT, "allowed_updates": ALLOWED_UPDATES},
            read_timeout=READ_TIMEOUT,
        )
        await self._inbox.receive(updates.parsed(payload, self._bot) for payload in payloads)
        self.polled_at = self._now()  # not before: who cannot store what comes serves nobody
        # all was confirmed where nothing came: numbers may begin anew, lower ones, after a quiet week
        self._offset = payloads[-1]["update_id"] + 1 if payloads else 0
