"""Telegram's limits on what a bot sends, as far as they are known (https://core.telegram.org/bots/faq).

Telegram publishes no exact figures: about one message a second to a person with short bursts, 20 a minute
to a group, 30 a second in all. A bot that stays within these at home does so elsewhere.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil

from bot.localchat.errors import TooManyRequestsError

COUNTED = frozenset(
    {
        "sendMessage",
        "sendPhoto",
        "sendDocument",
        "sendMediaGroup",
        "editMessageText",
        "editMessageCaption",
        "editMessageMedia",
        "editMessageReplyMarkup",
    }
)
"""Methods that put something into a chat."""


@dataclass
class Bucket:
    """Holds up to ``burst`` tokens and fills with ``rate`` of them a second; each message takes one."""

    rate: float
    burst: float
    tokens: float = field(init=False)
    filled_at: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self.tokens = self.burst

    def take(self, now: float) -> float:
        """Take a token; returns 0, or the seconds until there will be one."""
        self.tokens = min(self.burst, self.tokens + (now - self.filled_at) * self.rate)
        self.filled_at = now
        if self.tokens >= 1:
            self.tokens -= 1
            return 0.0
        return (1 - self.tokens) / self.rate


def _private() -> Bucket:
    return Bucket(rate=1, burst=4)


def _group() -> Bucket:
    return Bucket(rate=20 / 60, burst=20)


class FloodControl:
    """Refuses what comes too fast; ``now`` tells seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._chats: dict[str, Bucket] = {}
        self._all = Bucket(rate=30, burst=30)

    def check(self, method: str, chat_id: str) -> None:
        """Count a call.

        Raises:
            TooManyRequestsError: with the pause that Telegram would ask for.
        """
        if method not in COUNTED:
            return
        if chat_id not in self._chats:
            self._chats[chat_id] = _group() if chat_id.startswith("-") else _private()
        pause = max(self._chats[chat_id].take(self._now()), self._all.take(self._now()))
        if pause:
            raise TooManyRequestsError(ceil(pause))
