"""Tells administrators that nothing can be stored, and that it can be again; each once."""

from collections.abc import Callable

from bot import i18n, replies
from storage.errors import DatabaseBusyError, DatabaseError


class StorageAlarm:
    """Knows whether the database refuses what comes in: people get no answer then, and nobody would see why.

    Args:
        tell: sends a text to the administrators, without waiting for it to arrive.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._is_on = False

    def refused(self, error: DatabaseError) -> None:
        """What came in could not be stored; a database that is only busy takes it the next time."""
        if not self._is_on and not isinstance(error, DatabaseBusyError):
            self._is_on = True
            self._tell(replies.storage_refuses(i18n.texts(), str(error)))

    def stored(self) -> None:
        """What came in is stored."""
        if self._is_on:
            self._is_on = False
            self._tell(replies.storage_works(i18n.texts()))
