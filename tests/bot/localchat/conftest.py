"""The local chat on a real port, a bot that talks to it, and a person."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from telegram import Bot

from bot.localchat import LocalChat
from bot.localchat.bot_api import Interceptor, undisturbed
from bot.web.server import WebServer
from tests.bot.person import PATIENCE, Person


class Clock:
    """The time, which tests may move on."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def move(self, by: timedelta) -> None:
        self._ahead += by


@dataclass(frozen=True)
class Served:
    """A local chat and where it answers."""

    chat: LocalChat
    clock: Clock
    client: httpx.AsyncClient  # as a browser's page

    def person(self, role: str = "person") -> Person:
        """The first user of this role."""
        account = next(account for account in self.chat.identity.people if account.role == role)
        return Person(self.client, account.user_id)

    async def call(self, method: str, files: dict[str, bytes] | None = None, **parameters: Any) -> Any:
        """What the Bot API answers, as it came: ok and result, or the refusal."""
        fields = {name: one if isinstance(one, str) else json.dumps(one) for name, one in parameters.items()}
        address = f"/bot{self.chat.identity.token}/{method}"
        return (await self.client.post(address, data=fields, files=files)).json()

    async def polled(self) -> None:
        """Return when a poll waits for updates."""
        async with asyncio.timeout(PATIENCE):
            while not self.chat.state.polls._newest:
                await asyncio.sleep(0.005)

    async def refusal(self, method: str, files: dict[str, bytes] | None = None, **parameters: Any) -> str:
        """The description of a refusal."""
        answer = await self.call(method, files, **parameters)
        assert answer["ok"] is False, answer
        description: str = answer["description"]
        return description

    def bot(self, token: str = "") -> Bot:
        """A client of python-telegram-bot, by default with the right token."""
        address = str(self.client.base_url).rstrip("/")
        token = token or self.chat.identity.token
        return Bot(token, base_url=f"{address}/bot", base_file_url=f"{address}/file/bot")


@asynccontextmanager
async def serving(
    folder: Path, *, flood_limits: bool = False, interceptor: Interceptor = undisturbed
) -> AsyncIterator[Served]:
    """A local chat with its file in this folder, served as the bot serves it."""
    clock = Clock()
    chat = LocalChat(folder / "localchat.db", clock=clock, flood_limits=flood_limits, interceptor=interceptor)
    server = WebServer(chat.application, "127.0.0.1", 0)
    try:
        await chat.start()
        await server.start()
        address = f"http://127.0.0.1:{server.port}"
        as_page = {
            "Origin": address,
            "Sec-Fetch-Site": "same-origin",
        }  # as a browser does
        async with httpx.AsyncClient(base_url=address, headers=as_page, timeout=PATIENCE) as client:
            yield Served(chat, clock, client)
    finally:
        await chat.close()
        await server.stop()


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    """A fresh local chat."""
    async with serving(tmp_path) as served:
        yield served


@pytest.fixture
async def bot(served: Served) -> AsyncIterator[Bot]:
    """An initialised python-telegram-bot client of the local chat."""
    async with served.bot() as bot:
        yield bot


@pytest.fixture
def you(served: Served) -> Person:
    """The first person."""
    return served.person()
