"""The whole bot, pointed at a Bot API server by its configuration, where the network is bad."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from pydantic import SecretStr
from starlette.responses import HTMLResponse, JSONResponse, Response

from bot import app
from bot.config import Telegram
from bot.localchat.errors import TooManyRequestsError
from model.learning.camera import sample_photos
from tests.bot.conftest import config_in, in_background
from tests.bot.localchat.conftest import Served, serving

Call = Callable[[], Awaitable[Response]]


class BadNetwork:
    """Spoils the first calls of chosen methods, each in its way."""

    def __init__(self, **faults: list[str]) -> None:
        self._faults = faults
        self.calls: Counter[str] = Counter()

    async def __call__(self, method: str, call: Call) -> Response:
        self.calls[method] += 1
        faults = self._faults.get(method, [])
        fault = faults.pop(0) if faults else ""
        if fault == "bad gateway":
            return HTMLResponse("<html><h1>502 Bad Gateway</h1></html>", 502)
        if fault == "too many":
            return JSONResponse(TooManyRequestsError(1).answer(), 429)
        answer = await call()
        if fault == "half":
            return Response(bytes(answer.body)[: len(answer.body) // 2])
        return answer


@asynccontextmanager
async def bot_on(served: Served, folder: Path) -> AsyncIterator[None]:
    """The bot with a token in its configuration and our server as its Telegram."""
    address = str(served.client.base_url).rstrip("/")
    telegram = Telegram(
        token=SecretStr(served.chat.identity.token),
        base_url=f"{address}/bot",
        base_file_url=f"{address}/file/bot",
    )
    config = config_in(folder, telegram=telegram)
    async with app.opened(config) as core, in_background(app.serve(core, lambda _: None)):
        yield


async def test_a_photo_is_answered_once_however_bad_the_network(tmp_path: Path) -> None:
    network = BadNetwork(
        getUpdates=["bad gateway"],
        getFile=["bad gateway"],
        download=["half"],
        sendMessage=["too many", "bad gateway"],
        setMyCommands=["too many"],
    )
    (photo,) = sample_photos(1, 1)
    async with serving(tmp_path, flood_limits=True, interceptor=network) as served, bot_on(served, tmp_path):
        you = served.person()
        sent = await you.send_photo(photo.jpeg)
        answer = await you.answer_to(sent)
        await asyncio.sleep(0.5)  # a second answer would come now
        history = await you.history()

    assert answer["text"].startswith(f"{photo.digits} ")
    assert len(history) == 2
    assert network.calls["sendMessage"] == 3
    assert network.calls["download"] == 2


async def test_a_burst_of_photos_is_answered_in_order_within_the_limits(tmp_path: Path) -> None:
    network = BadNetwork()
    photos = sample_photos(6, 1)
    async with serving(tmp_path, flood_limits=True, interceptor=network) as served, bot_on(served, tmp_path):
        you = served.person()
        sent = [await you.send_photo(photo.jpeg) for photo in photos]
        await you.see(
            lambda seen: (
                seen["message"].get("reply_to_message", {}).get("message_id") == sent[-1]["message_id"]
            )
        )
        answers = [seen["message"] for seen in await you.history() if seen["message"]["from"]["is_bot"]]

    assert [one["reply_to_message"]["message_id"] for one in answers] == [one["message_id"] for one in sent]
    assert network.calls["sendMessage"] == len(photos), "no call was refused and repeated"
