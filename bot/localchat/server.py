"""`LocalChat`: the Bot API and the chat page as one ASGI application."""

import secrets
from datetime import UTC, datetime
from pathlib import Path

from starlette.applications import Starlette

from bot.localchat.bot_api import BotApi, Interceptor, undisturbed
from bot.localchat.flood import FloodControl
from bot.localchat.page import Page
from bot.localchat.state import Clock, Identity, Randomness, State
from bot.localchat.webhook import Deliveries


def utc_now() -> datetime:
    """The time of the machine."""
    return datetime.now(UTC)


class LocalChat:
    """Telegram in small: mount `application` at "/", `start` before it serves, `close` at the end.

    Args:
        path: the file that keeps identity, history and pictures; made when it is missing.
        clock: the time.
        randomness: as `secrets.randbelow`; makes the token, so it must not be guessable outside of tests.
        flood_limits: whether a bot that sends too fast is refused, as on Telegram.
        interceptor: stands between the bot and the methods; for tests of bad networks.
    """

    def __init__(
        self,
        path: Path,
        *,
        clock: Clock = utc_now,
        randomness: Randomness = secrets.randbelow,
        flood_limits: bool = True,
        interceptor: Interceptor = undisturbed,
    ) -> None:
        self.state = State(path, clock, randomness)
        self._deliveries = Deliveries(self.state)
        flood = FloodControl(lambda: self.state.time().timestamp()) if flood_limits else None
        routes = [*BotApi(self.state, flood, interceptor).routes(), *Page(self.state).routes()]
        self.application = Starlette(routes=routes)

    @property
    def identity(self) -> Identity:
        """The bot's token and id, and the people; known once the chat has started."""
        return self.state.identity

    async def start(self) -> None:
        """Open the file; from here on `identity` is known."""
        await self.state.start()
        self._deliveries.start()

    async def close(self) -> None:
        """Let waiting polls and pages go, so that the server can stop, and close the file."""
        await self._deliveries.close()
        await self.state.close()
