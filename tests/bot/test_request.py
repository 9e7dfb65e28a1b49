"""What an HTTP client must survive."""

from collections.abc import AsyncIterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request as Call
from starlette.responses import StreamingResponse
from starlette.routing import Route
from telegram.error import NetworkError

from bot.request import MOST_BYTES, Request
from bot.web.server import WebServer

PART = 1 << 20


async def test_an_answer_without_end_is_cut_off_before_it_fills_the_memory() -> None:
    sent = 0

    async def send(call: Call) -> StreamingResponse:
        async def endless() -> AsyncIterator[bytes]:
            nonlocal sent
            while not await call.is_disconnected():
                sent += PART
                yield bytes(PART)

        return StreamingResponse(endless())

    server = WebServer(Starlette(routes=[Route("/", send)]), "127.0.0.1", 0)
    await server.start()
    async with Request() as request:
        with pytest.raises(NetworkError, match=f"more than {MOST_BYTES} bytes"):
            await request.retrieve(server.address)
    await server.stop()

    assert sent < 2 * MOST_BYTES
