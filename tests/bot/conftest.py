"""The whole bot over real HTTP against the local chat's Bot API: what a test sees is what Telegram gets."""

import asyncio
import json
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from bot import app, limiter
from bot.app import Core
from bot.config import Config, Limits, Storage, Web
from bot.localchat.flood import FloodControl
from bot.services.training_run import Effort
from model.learning import camera
from tests.bot.person import PATIENCE, Json, Person, says

KEY = "vFlrV8HHgYZOWJTnYxYjXEDSgXIwZFbqbkBhjQvoqk0="
"""Encrypts the glyphs of the tests."""


@dataclass(frozen=True)
class Running:
    """A bot that serves its local chat, and the people in it."""

    core: Core
    client: httpx.AsyncClient
    users: dict[str, int]

    @property
    def you(self) -> Person:
        """Somebody."""
        return Person(self.client, self.users["person"])

    @property
    def admin(self) -> Person:
        """The administrator."""
        return Person(self.client, self.users["admin"])


def config_in(folder: Path, **sections: object) -> Config:
    """A configuration whose files are all in one folder."""
    storage = Storage(url=f"sqlite+aiosqlite:///{folder}/digitbot.db", key=SecretStr(KEY))
    limits = Limits(decoder_processes=1)
    return Config(**{"storage": storage, "web": Web(port=0), "limits": limits, **sections})  # type: ignore[arg-type]


def button(message: Json, label: str) -> str:
    """The data of the button with this label."""
    keyboard = message["reply_markup"]["inline_keyboard"]
    data: str = next(one["callback_data"] for row in keyboard for one in row if one["text"] == label)
    return data


@asynccontextmanager
async def in_background(work: Coroutine[Any, Any, None]) -> AsyncIterator[asyncio.Task[None]]:
    """Run something until the block ends, however it does."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait({task})


@asynccontextmanager
async def unhurried() -> AsyncIterator[None]:
    """Nobody waits for Telegram's pace, nor minds it: `test_limiter` and `test_bad_network` do."""
    at_once = limiter.Rate(interval=0, burst=1)
    with pytest.MonkeyPatch.context() as patch:
        for rate in ("PRIVATE", "GROUP", "OVERALL"):
            patch.setattr(limiter, rate, at_once)
        patch.setattr(FloodControl, "check", lambda *_: None)
        yield


@asynccontextmanager
async def running_in(config: Config, effort: Effort | None = None) -> AsyncIterator[Running]:
    """A bot between its start and its orderly end."""
    address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    async with (
        unhurried(),
        app.opened(config, effort=effort) as core,
        in_background(app.serve(core, address.set_result)) as serving,
    ):
        await asyncio.wait((serving, address), return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            serving.result()
        origin = {"Origin": await address, "Sec-Fetch-Site": "same-origin"}
        async with httpx.AsyncClient(base_url=await address, headers=origin, timeout=PATIENCE) as client:
            state = (await client.get("/localchat/state")).raise_for_status().json()
            yield Running(core, client, {user["role"]: user["id"] for user in reversed(state["users"])})


async def toast(person: Person, message_id: int, data: str, *, chat_id: int | None = None) -> str:
    """What a person is shown for a press of a button."""
    async with person.client.stream("GET", "/localchat/events") as events, asyncio.timeout(PATIENCE):
        lines = events.aiter_lines()
        await anext(lines)  # the page is being told by now
        query_id = await person.press(message_id, data, chat_id=chat_id)
        async for line in lines:
            event = json.loads(line.partition(":")[2]) if line.startswith("data:") else {}
            if event.get("query_id") == query_id:
                return str(event["text"])
    raise AssertionError("the chat ended")


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    """A fresh bot."""
    async with running_in(config_in(tmp_path)) as running:
        yield running


@pytest.fixture
def you(running: Running) -> Person:
    """Somebody who writes to the bot in private."""
    return running.you


@pytest.fixture
def admin(running: Running) -> Person:
    """The administrator, in private."""
    return running.admin


@pytest.fixture(scope="session")
def photos() -> dict[str, bytes]:
    """Photos of drawn digits and numbers, by what they show."""
    return {sample.digits: sample.jpeg for sample in camera.sample_photos(8, 7)}


async def consents(you: Person) -> None:
    """Say yes to the question after the first correction."""
    question = (await you.see(says("May I learn")))["message"]
    await toast(you, question["message_id"], button(question, "Yes, learn from my corrections"))
