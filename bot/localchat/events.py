"""Live events: what happens in the chats, told to every open page."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

Event = dict[str, Any]
"""One thing that happened: "type" says what, "chat_id" where."""

BACKLOG = 500
"""Events that a page may be behind before it is cut off; it comes back and reads the history anew."""


class Subscription:
    """What one page has not been told yet."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Event | None] = asyncio.Queue()

    def put(self, event: Event) -> None:
        """Add an event, or end the subscription of a page that does not listen."""
        if self._queue.qsize() < BACKLOG:
            self._queue.put_nowait(event)
        else:
            self.end()

    def end(self) -> None:
        """No more events follow."""
        self._queue.put_nowait(None)

    async def next(self, timeout: float) -> Event | None:
        """The next event; raises `TimeoutError` when none comes, gives None when none will ever come."""
        async with asyncio.timeout(timeout):
            return await self._queue.get()


class Bus:
    """Hands every event to every subscription."""

    def __init__(self) -> None:
        self._subscriptions: set[Subscription] = set()
        self._ended = False

    def publish(self, events: list[Event]) -> None:
        """Tell all open pages."""
        for subscription in self._subscriptions:
            for event in events:
                subscription.put(event)

    @contextmanager
    def subscription(self) -> Iterator[Subscription]:
        """Listen from now on, until the block ends."""
        subscription = Subscription()
        self._subscriptions.add(subscription)
        if self._ended:
            subscription.end()
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)

    def end(self) -> None:
        """End every subscription, also those to come: the server stops."""
        self._ended = True
        for subscription in self._subscriptions:
            subscription.end()
