"""The durable inbox: an update is stored before Telegram is told that we have it, and open until handled.

Telegram takes the offset of the next `getUpdates` for a receipt, and python-telegram-bot raises it before
anything is handled, so a killed process would lose what it had fetched. Here an update is committed first;
what is still open at the next start is handled then; what comes twice is ignored.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from telegram import Bot, Update

from bot.alarm import StorageAlarm
from bot.updates import parsed
from storage import inbox
from storage.encryption import Keyring
from storage.engine import Database
from storage.errors import DatabaseError, KeyLostError, StorageError
from storage.records import InboxRecord, NewUpdate

log = logging.getLogger(__name__)

MOST_TRIES = 3
"""What is still open after its handling began so often may be what ends the process; it is given up."""

MOST_OPEN = 1000
"""Updates under way, above which no more are fetched."""


class Inbox:
    """The updates of one bot, from their receipt to the end of their handling.

    Args:
        database: where they are kept.
        keyring: seals them.
        bot: whose updates they are.
        queue: what the application takes updates from.
        now: the clock.
        alarm: told whether what comes can be stored.
    """

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        bot: Bot,
        queue: "asyncio.Queue[object]",
        *,
        now: Callable[[], datetime],
        alarm: StorageAlarm,
    ) -> None:
        self._database, self._keyring = database, keyring
        self._bot, self._queue, self._now, self._alarm = bot, queue, now, alarm
        self._open: set[int] = set()
        self._deferred: set[int] = set()
        self._room = asyncio.Event()
        self._room.set()

    async def receive(self, updates: Iterable[Update]) -> None:
        """Commit updates, then hand over those that are not handled yet. Returns when Telegram may be told.

        Raises:
            DatabaseError: nothing was stored, and Telegram must not be told.
        """
        by_id = {update.update_id: update for update in updates}
        if not by_id:
            return
        sealed = [self._seal(update) for update in by_id.values()]
        try:
            async with self._database.transaction() as session:
                found = await inbox.put(session, self._bot.id, sealed, self._now())
        except DatabaseError as exc:
            self._alarm.refused(exc)
            raise
        self._alarm.stored()
        for update_id in found:
            self._hand_over(by_id[update_id])

    async def receive_json(self, payload: dict[str, Any]) -> None:
        """The same for one update as a webhook brings it."""
        await self.receive([parsed(payload, self._bot)])

    async def reopen(self) -> None:
        """Hand over what an earlier process received and did not finish."""
        async with self._database.reading() as session:
            records = await inbox.open_updates(session, self._bot.id)
        for record in records:
            if record.tries >= MOST_TRIES:
                await self._give_up(record, "several processes ended while it was handled")
                continue
            try:
                update = self._unseal(record)
            except KeyLostError as exc:
                await self._give_up(record, str(exc))
            else:
                self._hand_over(update)

    async def room(self) -> None:
        """Wait while too many updates are under way."""
        await self._room.wait()

    async def begin(self, update: Update) -> bool:
        """Whether an update shall be handled; not one that is done, as its sender was forgotten meanwhile.

        It is counted that the handling begins, so that an update that ends the process is known by it.
        """
        try:
            async with self._database.transaction() as session:
                tries = await inbox.begin(session, self._bot.id, update.update_id)
        except StorageError as exc:
            log.warning("update %d is not counted: %s", update.update_id, exc)
            return True
        if not tries:
            self._let_go(update)
        return tries > 0

    def defer(self, update: Update) -> None:
        """Leave an update open when its handlers end: something else will `close` it."""
        self._deferred.add(update.update_id)

    async def handled(self, update: Update) -> None:
        """Called when the handlers of an update have ended, however they did."""
        if update.update_id not in self._deferred:
            await self.close(update)

    async def put_back(self, update: Update) -> None:
        """Called when the end of this process cut an update's handlers short: that counts for nothing."""
        try:
            async with self._database.transaction() as session:
                await inbox.put_back(session, self._bot.id, update.update_id)
        except StorageError as exc:
            log.warning("update %d stays counted: %s", update.update_id, exc)

    async def close(self, update: Update) -> None:
        """Mark an update done. Where the database does not let us, it is handled again at the next start."""
        self._let_go(update)
        try:
            await self._mark_done(update.update_id)
        except StorageError as exc:
            log.warning("update %d stays open: %s", update.update_id, exc)

    def _let_go(self, update: Update) -> None:
        self._deferred.discard(update.update_id)
        self._open.discard(update.update_id)
        if len(self._open) < MOST_OPEN:
            self._room.set()

    async def _give_up(self, record: InboxRecord, reason: str) -> None:
        log.error("update %d is given up: %s", record.update_id, reason)
        async with self._database.transaction() as session:
            await inbox.mark_failed(session, self._bot.id, record.update_id, reason)

    async def _mark_done(self, update_id: int) -> None:
        async with self._database.transaction() as session:
            await inbox.mark_done(session, self._bot.id, update_id)

    def _hand_over(self, update: Update) -> None:
        if update.update_id in self._open:  # it came again, or while what was open was looked up
            return
        self._open.add(update.update_id)
        if len(self._open) >= MOST_OPEN:
            self._room.clear()
        self._queue.put_nowait(update)

    def _seal(self, update: Update) -> NewUpdate:
        person = update.effective_user
        payload = inbox.seal(self._keyring, update.to_json().encode())
        return NewUpdate(update.update_id, payload, None if person is None else person.id)

    def _unseal(self, record: InboxRecord) -> Update:
        """Raises `KeyLostError` where it was sealed with a key that is gone."""
        return parsed(json.loads(inbox.unseal(self._keyring, record.payload)), self._bot)
