"""Long polling: one poll waits at a time, and an older one yields to a newer one."""

import asyncio

from bot.localchat.errors import ConflictError

BY_POLL = "terminated by other getUpdates request; make sure that only one bot instance is running"
BY_WEBHOOK = "terminated by setWebhook request"


class Polls:
    """The one poll that waits for updates."""

    def __init__(self) -> None:
        self._newest = 0
        self._reason = BY_POLL
        self._news = asyncio.Event()
        self._ended = False

    def begin(self, reason: str = BY_POLL) -> int:
        """A new poll: the one that waited until now gets a conflict. Returns the ticket of the new one."""
        self._newest += 1
        self._reason = reason
        self.wake()
        return self._newest

    def check(self, ticket: int) -> None:
        """Raise `ConflictError` if a newer poll has begun."""
        if ticket != self._newest:
            raise ConflictError(self._reason)

    def wake(self) -> None:
        """Something may have changed: the waiting poll looks again."""
        self._news.set()
        self._news = asyncio.Event()

    def end(self) -> None:
        """Let the waiting poll go, and every later one: the server stops."""
        self._ended = True
        self.wake()

    def news(self) -> asyncio.Event:
        """What `wait` waits for; taken before looking at the queue, so that nothing slips in between."""
        return self._news

    async def wait(self, news: asyncio.Event, seconds: float) -> bool:
        """Wait for news; False when the time is over or the server stops."""
        if self._ended or seconds <= 0:
            return False
        try:
            async with asyncio.timeout(seconds):
                await news.wait()
        except TimeoutError:
            return False
        return not self._ended
