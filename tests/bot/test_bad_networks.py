"""Telegram fails in every way it can, and everything is answered and stored once all the same."""

import asyncio
import contextlib
import json
import math
import socket
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import numpy as np
import pytest
from pydantic import SecretStr
from sqlalchemy import text
from starlette.responses import JSONResponse, Response
from telegram.error import Conflict

from bot import app, messenger
from bot.app import Core
from bot.config import Telegram, Web
from bot.errors import UnavailableError
from bot.inbox import MOST_TRIES
from tests.bot.conftest import config_in, in_background
from tests.bot.localchat.conftest import Served, serving
from tests.bot.person import PATIENCE, Json, Person

Photos = dict[str, bytes]
Call = Callable[[], Awaitable[Response]]


class Weather:
    """Lets a part of all calls fail, each in one of the ways in which Telegram and networks do.

    Args:
        most_in_a_row: of calls of one name.
    """

    def __init__(self, share: float, rng: np.random.Generator, most_in_a_row: float = math.inf) -> None:
        self.share, self._rng, self._most_in_a_row = share, rng, most_in_a_row
        self.calls, self._failed = Counter[str](), Counter[str]()

    async def __call__(self, name: str, call: Call) -> Response:
        self.calls[name] += 1
        if self._failed[name] >= self._most_in_a_row or self._rng.random() >= self.share:
            self._failed[name] = 0
            return await call()
        self._failed[name] += 1
        match self._rng.integers(4):
            case 0:
                body = {"ok": False, "error_code": 429, "description": "Too Many Requests: retry after 1"}
                return JSONResponse({**body, "parameters": {"retry_after": 1}}, status_code=429)
            case 1:
                return Response("<html>502 Bad Gateway</html>", status_code=502, media_type="text/html")
            case 2:
                body = {"ok": False, "error_code": 500, "description": "Internal Server Error"}
                return JSONResponse(body, status_code=500)
            case _ if name == "download":
                whole = await call()
                return Response(bytes(whole.body)[:500], media_type="application/octet-stream")
            case _:
                return Response("", status_code=503)


@asynccontextmanager
async def connected(folder: Path, telegram: Served, port: int = 0, **more: object) -> AsyncIterator[Core]:
    """A bot with a token, which takes the local chat for Telegram."""
    address = str(telegram.client.base_url).rstrip("/")
    settings = {
        "token": telegram.chat.identity.token,
        "base_url": f"{address}/bot",
        "base_file_url": f"{address}/file/bot",
        **more,
    }
    config = config_in(folder, telegram=Telegram.model_validate(settings), web=Web(port=port))
    async with app.opened(config) as core:
        started = asyncio.Event()
        async with in_background(app.serve(core, lambda _: started.set())):
            await started.wait()
            yield core


def replies_to(message: Json) -> Callable[[Json], bool]:
    """Whether something in the chat is the bot's reply to this message."""

    def is_reply(seen: Json) -> bool:
        replied = seen["message"].get("reply_to_message", {}).get("message_id")
        return bool(seen["message"]["from"]["is_bot"] and replied == message["message_id"])

    return is_reply


async def described(telegram: Served) -> Json:
    """What the chat page sees of the bot."""
    state: Json = (await telegram.client.get("/localchat/state")).json()
    return state


async def test_with_a_third_of_all_calls_failing_everything_is_answered_once(
    tmp_path: Path, photos: Photos
) -> None:
    weather = Weather(0.3, np.random.default_rng(1), most_in_a_row=2)  # a file is fetched three times at most
    digit = next(digits for digits in photos if len(digits) == 1)
    async with serving(tmp_path, interceptor=weather) as telegram, connected(tmp_path, telegram) as core:
        you: Person = telegram.person()
        sent = [await you.send_photo(photos[digit]) for _ in range(3)]
        sent.append(await you.send("/correct 3", reply_to=sent[0]["message_id"]))
        for message in sent:
            await you.see(replies_to(message), patience=60)

        weather.share = 0.0
        history = await you.history()
        for message in sent:
            assert len([seen for seen in history if replies_to(message)(seen)]) == 1
        async with core.database.reading() as session:
            assert await session.scalar(text("SELECT count(*) FROM predictions")) == 3
            assert await session.scalar(text("SELECT count(*) FROM corrections")) == 1


async def test_a_token_that_telegram_refuses_ends_the_bot_with_a_clear_error(tmp_path: Path) -> None:
    async with serving(tmp_path) as telegram:
        address = str(telegram.client.base_url).rstrip("/")
        settings = Telegram(token=SecretStr("1:wrong"), base_url=f"{address}/bot")
        async with app.opened(config_in(tmp_path, telegram=settings)) as core:
            with pytest.raises(UnavailableError, match="refuses the token"):
                await app.serve(core, lambda _: None)


async def test_a_bot_without_a_network_waits_for_it(tmp_path: Path, photos: Photos) -> None:
    storm = Weather(1.0, np.random.default_rng(2))
    async with serving(tmp_path, interceptor=storm) as telegram, connected(tmp_path, telegram):
        sent = await telegram.person().send("/id")
        async with asyncio.timeout(PATIENCE):
            while not storm.calls["getMe"]:
                await asyncio.sleep(0.01)
        storm.share = 0.0

        await telegram.person().answer_to(sent)


async def test_what_end_after_end_of_the_bot_cut_short_is_answered_at_last(
    tmp_path: Path, photos: Photos, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messenger, "GRACE", 0.1)
    stuck, back = asyncio.Event(), asyncio.Event()

    async def hang(name: str, call: Call) -> Response:
        if name == "sendMessage" and not back.is_set():
            stuck.set()
            await back.wait()
            return Response("{}", status_code=502)
        return await call()

    async with serving(tmp_path, interceptor=hang) as telegram:
        sent = await telegram.person().send_photo(next(iter(photos.values())))
        for _ in range(MOST_TRIES + 1):
            stuck.clear()
            async with connected(tmp_path, telegram):
                await stuck.wait()
        back.set()

        async with connected(tmp_path, telegram):
            await telegram.person().answer_to(sent)


async def test_an_answer_that_is_no_json_costs_no_menu(tmp_path: Path) -> None:
    untouched = {"setMyCommands", "setMyDescription", "setChatMenuButton"}

    async def as_in_a_hotel(name: str, call: Call) -> Response:
        if name not in untouched:
            return await call()
        untouched.remove(name)
        return Response("<html>Please sign in to this network</html>", media_type="text/html")

    async with serving(tmp_path, interceptor=as_in_a_hotel) as telegram, connected(tmp_path, telegram):
        async with asyncio.timeout(PATIENCE):
            while untouched or not (state := await described(telegram))["bot"].get("short_description"):
                await asyncio.sleep(0.05)

    assert state["bot"]["description"]
    assert all(chat["commands"] for chat in state["chats"])


async def test_an_update_that_is_not_understood_does_not_make_the_bot_deaf(tmp_path: Path) -> None:
    strange: list[Json] = []

    async def deliver_it_first(name: str, call: Call) -> Response:
        response = await call()
        answer = json.loads(bytes(response.body)) if name == "getUpdates" else {}
        if answer.get("result") and strange:
            update = {"update_id": 0, "message": strange.pop()}
            return JSONResponse({"ok": True, "result": [update, *answer["result"]]})
        return response

    async with (
        serving(tmp_path, interceptor=deliver_it_first) as telegram,
        connected(tmp_path, telegram),
    ):
        you = telegram.person()
        first = await you.send("/help")
        await you.answer_to(first)
        strange.append({**first, "text": None, "poll": {"question": "of a form that nobody knows yet"}})

        await you.send("/id")

        await you.see(lambda seen: seen["message"].get("text", "").startswith("You are"))
        await you.see(lambda seen: seen["message"].get("text", "").startswith("I read handwritten digits"))
        assert len([seen for seen in await you.history() if seen["message"]["from"]["is_bot"]]) == 3


async def test_somebody_else_who_polls_is_named_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(tmp_path) as telegram, connected(tmp_path, telegram), telegram.bot() as other:
        async with asyncio.timeout(PATIENCE):
            while "another process polls with the same token" not in caplog.text:
                with contextlib.suppress(Conflict):
                    await other.get_updates(timeout=1)
        sent = await telegram.person().send("/id")
        await telegram.person().answer_to(sent)


async def test_updates_come_by_webhook_where_one_is_configured_and_forged_ones_do_not(
    tmp_path: Path, photos: Photos
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    hook = {"webhook": address, "webhook_secret": "s3cret"}
    async with serving(tmp_path) as telegram, connected(tmp_path, telegram, port, **hook):
        you = telegram.person()
        await you.answer_to(await you.send("/id"))

        forged = {"update_id": 1, "message": {"message_id": 1}}
        async with httpx.AsyncClient() as stranger:
            refusal = await stranger.post(f"{address}/telegram/webhook", json=forged)
        assert refusal.status_code == 403
