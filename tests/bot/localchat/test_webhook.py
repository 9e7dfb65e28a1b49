"""The webhook of the local chat delivers as Telegram's does: with the secret, in order, until it is taken."""

import asyncio
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.localchat import webhook
from bot.web.server import WebServer
from tests.bot.localchat.conftest import Served
from tests.bot.person import PATIENCE, Person


class Receiver:
    """A bot's address: keeps what comes, and refuses the first deliveries."""

    def __init__(self, refusals: int) -> None:
        self.refusals = refusals
        self.deliveries: list[tuple[str | None, dict[str, Any]]] = []
        self.news = asyncio.Event()
        routes = [Route("/hook", self._take, methods=["POST"])]
        self.server = WebServer(Starlette(routes=routes), "127.0.0.1", 0)

    async def _take(self, request: Request) -> Response:
        self.deliveries.append((request.headers.get(webhook.SECRET_HEADER), await request.json()))
        self.news.set()
        return Response(status_code=500 if len(self.deliveries) <= self.refusals else 200)

    async def received(self, count: int) -> list[dict[str, Any]]:
        async with asyncio.timeout(PATIENCE):
            while len(self.deliveries) < count:
                self.news.clear()
                await self.news.wait()
        return [update for _, update in self.deliveries]


async def test_updates_are_posted_in_order_until_they_are_taken(
    served: Served, you: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "FIRST_PAUSE", 0.05)
    receiver = Receiver(refusals=2)
    await receiver.server.start()
    try:
        address = f"{receiver.server.address}/hook"
        assert (await served.call("setWebhook", url=address, secret_token="sesame"))["ok"]
        await you.send("one")
        await you.send("two")

        posted = await receiver.received(4)

        assert [update["message"]["text"] for update in posted] == ["one", "one", "one", "two"]
        assert {secret for secret, _ in receiver.deliveries} == {"sesame"}
        info = (await served.call("getWebhookInfo"))["result"]
        assert info["last_error_message"] == "Wrong response from the webhook: 500 Internal Server Error"
    finally:
        await receiver.server.stop()


async def test_nobody_polls_while_a_webhook_is_set(served: Served) -> None:
    poll = asyncio.create_task(served.refusal("getUpdates", timeout=20))
    await served.polled()
    await served.call("setWebhook", url="https://127.0.0.1:1/hook")

    assert await poll == "Conflict: terminated by setWebhook request"
    assert (await served.refusal("getUpdates")).startswith("Conflict: can't use getUpdates method")
    await served.call("deleteWebhook")
    assert (await served.call("getUpdates"))["ok"]


async def test_telegram_posts_to_https_or_this_machine_only(served: Served) -> None:
    refusal = await served.refusal("setWebhook", url="http://example.org/hook")

    assert refusal == "Bad Request: bad webhook: An HTTPS URL must be provided for webhook"
