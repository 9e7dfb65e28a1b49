"""What has to be done from time to time: delete what has expired, and scrub what was deleted."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from storage import backup, inbox, predictions
from storage.engine import Database
from storage.errors import StorageError

log = logging.getLogger(__name__)

INTERVAL = timedelta(hours=1)
UPDATES_KEPT = timedelta(days=3)
"""Telegram repeats an update for a day at most."""
OPEN_UPDATES_KEPT = timedelta(days=30)
"""A bot that was off for so long begins anew; another that took its place never handles them."""
BACKUPS_KEPT = timedelta(days=30)


class Housekeeping:
    """Runs at the start and every hour.

    Args:
        retention: how long readings are kept without consent.
        now: the clock.
    """

    def __init__(self, database: Database, retention: timedelta, now: Callable[[], datetime]) -> None:
        self._database, self._retention, self._now = database, retention, now

    async def run(self) -> None:
        """Until cancelled; a database that refuses is asked again the next time."""
        while True:
            try:
                await self.once()
            except (StorageError, OSError) as exc:
                log.warning("not all that has expired was deleted: %s", exc)
            await asyncio.sleep(INTERVAL.total_seconds())

    async def once(self) -> None:
        """Delete what has expired by now."""
        now = self._now()
        if self._database.path is not None:  # first, for it makes room where the disk is full
            await asyncio.to_thread(backup.expire, self._database.path, now - BACKUPS_KEPT)
        async with self._database.transaction() as session:
            erased = await predictions.delete_expired(session, now - self._retention, now)
            await inbox.prune(session, now - UPDATES_KEPT, now - OPEN_UPDATES_KEPT)
        if erased.predictions:
            log.info("%d readings without consent have expired", erased.predictions)
        await self._database.scrub()
