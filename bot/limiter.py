"""Keeps outgoing requests within Telegram's limits, and repeats those that surely failed."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from telegram.error import BadRequest, ChatMigrated, NetworkError, TelegramError
from telegram.ext import BaseRateLimiter

from bot.request import FloodError, NotSentError, ServerError

log = logging.getLogger(__name__)

Result = bool | dict[str, Any] | list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `burst` at once and one every `interval` seconds after that."""

    interval: float
    burst: int


PRIVATE = Rate(1.0, 3)
GROUP = Rate(60 / 18, 2)
OVERALL = Rate(1 / 25, 5)
"""Telegram's limits (Bot FAQ) are 1 message a second and chat, 20 a minute and group, 30 a second in all."""

PATIENCE = 15 * 60
"""Seconds after which a request that the server keeps failing is given up."""

_LIMITED = ("send", "edit", "forward", "copy")
_UNLIMITED = ("sendChatAction",)
_ONCE = ("send", "forward", "copy")
"""Methods whose repetition shows twice; everything else may be repeated."""


class Bucket:
    """The generic cell rate algorithm: hands out the times at which requests may go."""

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self.full_at = 0.0  # the time from which on the whole burst is free again

    def reserve(self, now: float) -> float:
        """Take the next place; return the seconds to wait for it."""
        start = max(self.full_at, now)
        self.full_at = start + self._rate.interval
        return max(0.0, start - (self._rate.burst - 1) * self._rate.interval - now)


class Limiter(BaseRateLimiter[None]):
    """One bucket a chat and one for all; a chat that was told to wait waits, the others go on.

    Repeats what surely failed: refused with 429, not sent for want of a connection, 5xx, and what was sent
    to a group that has become a supergroup. What may have
    arrived is repeated only where that does not show (everything but sending).

    Args:
        clock: seconds, monotonic.
        sleep: waits that many seconds.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._clock, self._sleep = clock, sleep
        self._all = Bucket(OVERALL)
        self._chats: dict[str, Bucket] = {}
        self._closed_until: dict[str, float] = {}

    async def initialize(self) -> None:
        """Nothing to prepare."""

    async def shutdown(self) -> None:
        """Nothing to release."""

    async def process_request(  # noqa: PLR0917 - the signature is PTB's
        self,
        callback: Callable[..., Coroutine[Any, Any, Result]],
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: None,
    ) -> Result:
        """Send when it is the chat's turn; repeat while that is right and patience lasts."""
        chat = str(data["chat_id"]) if data.get("chat_id") is not None else None
        since, pause = self._clock(), 1.0
        while True:
            await self._turn(endpoint, chat)
            try:
                return await callback(*args, **kwargs)
            except FloodError as exc:
                await self._flooded(chat, exc)
            except ChatMigrated as exc:  # the group has become a supergroup, with another id
                log.info("chat %s is %d now", chat, exc.new_chat_id)
                data["chat_id"], chat = exc.new_chat_id, str(exc.new_chat_id)
            except NetworkError as exc:
                if not _may_repeat(endpoint, exc) or self._is_over(since, exc):
                    raise
                log.warning("%s: %s; again in %.1f s", endpoint, exc, pause)
                await self._sleep(pause)
                pause = min(pause * 1.5, 30.0)

    async def _turn(self, endpoint: str, chat: str | None) -> None:
        """Wait until this request may go."""
        if endpoint.startswith(_LIMITED) and endpoint not in _UNLIMITED and chat is not None:
            now = self._clock()
            delay = max(self._bucket(chat, now).reserve(now), self._all.reserve(now))
            if delay > 0:
                await self._sleep(delay)
        while chat is not None and (delay := self._closed_until.get(chat, 0.0) - self._clock()) > 0:
            await self._sleep(delay)

    async def _flooded(self, chat: str | None, error: FloodError) -> None:
        """Wait as long as Telegram says; all requests to this chat do."""
        log.warning("%s", error)
        delay = error.retry_after + 0.1
        if chat is None:
            await self._sleep(delay)
        else:
            self._closed_until[chat] = max(self._closed_until.get(chat, 0.0), self._clock() + delay)

    def _is_over(self, since: float, error: TelegramError) -> bool:
        """No connection is waited for without end; a server that keeps failing is not."""
        return not isinstance(error, NotSentError) and self._clock() - since > PATIENCE

    def _bucket(self, chat: str, now: float) -> Bucket:
        if chat not in self._chats:
            if len(self._chats) >= 10_000:  # forget the chats that are idle
                self._chats = {key: one for key, one in self._chats.items() if one.full_at > now}
                self._closed_until = {key: at for key, at in self._closed_until.items() if at > now}
            self._chats[chat] = Bucket(PRIVATE if chat.isdigit() else GROUP)  # ids of groups are negative
        return self._chats[chat]


def _may_repeat(endpoint: str, error: NetworkError) -> bool:
    if isinstance(error, BadRequest):
        return False
    return isinstance(error, NotSentError | ServerError) or not endpoint.startswith(_ONCE)
