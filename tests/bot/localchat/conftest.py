"""The local chat on a real port, a bot that talks to it, and a person."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from telegram import Bot

from bot.localchat import LocalChat
from bot.web.server import WebServer
from tests.bot.person import Person


@dataclass(frozen=True)
class Served:
    """A local chat and where it answers."""

    chat: LocalChat
    client: httpx.AsyncClient  # as a browser's page

    def person(self, role: str = "person") -> Person:
        """The first user of this role."""
        account = next(account for account in self.chat.identity.people if account.role == role)
        return Person(self.client, account.user_id)

    def bot(self, token: str = "") -> Bot:
        """A client of python-telegram-bot, by default with the right token."""
        address = str(self.client.base_url).rstrip("/")
        token = token or self.chat.identity.token
        return Bot(token, base_url=f"{address}/bot", base_file_url=f"{address}/file/bot")


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    """A fresh local chat, as the bot serves it."""
    chat = LocalChat(tmp_path / "localchat.db")
    server = WebServer(chat.application, "127.0.0.1", 0)
    await chat.start()
    await server.start()
    address = f"http://127.0.0.1:{server.port}"
    as_page = {"Origin": address, "Sec-Fetch-Site": "same-origin"}  # what a browser says of the page itself
    async with httpx.AsyncClient(base_url=address, headers=as_page) as client:
        yield Served(chat, client)
    await chat.close()
    await server.stop()


@pytest.fixture
async def bot(served: Served) -> AsyncIterator[Bot]:
    """An initialised python-telegram-bot client of the local chat."""
    async with served.bot() as bot:
        yield bot


@pytest.fixture
def you(served: Served) -> Person:
    """The first person."""
    return served.person()
