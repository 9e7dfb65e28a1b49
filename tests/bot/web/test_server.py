import asyncio
import socket

import httpx
import pytest
from fastapi import FastAPI

from bot.errors import UnavailableError
from bot.web.server import WebServer


def slow_app(seconds: float) -> FastAPI:
    app = FastAPI()

    @app.get("/")
    async def index() -> str:
        await asyncio.sleep(seconds)
        return "done"

    return app


async def test_it_answers_between_start_and_stop() -> None:
    server = WebServer(slow_app(0), "127.0.0.1", 0)
    await server.start()
    async with httpx.AsyncClient() as client:
        assert (await client.get(server.address)).json() == "done"
        await server.stop()
        with pytest.raises(httpx.ConnectError):
            await client.get(server.address)


async def test_a_request_in_flight_ends_before_the_server_does() -> None:
    server = WebServer(slow_app(0.3), "127.0.0.1", 0)
    await server.start()
    async with httpx.AsyncClient() as client:
        answer = asyncio.create_task(client.get(server.address))
        await asyncio.sleep(0.1)
        await server.stop()
        assert (await answer).json() == "done"


async def test_a_taken_port_is_one_clear_line() -> None:
    first = WebServer(slow_app(0), "127.0.0.1", 0)
    await first.start()
    second = WebServer(slow_app(0), "127.0.0.1", first.port)

    with pytest.raises(UnavailableError, match=f"cannot listen on http://127.0.0.1:{first.port}: Address"):
        await second.start()

    await second.stop()
    await first.stop()


async def test_small_answers_are_not_held_back() -> None:
    """With Nagle's algorithm on, an answer in two parts takes 40 ms."""
    server = WebServer(slow_app(0), "127.0.0.1", 0)
    await server.start()
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    await asyncio.sleep(0.05)
    accepted = next(iter(server._server.server_state.connections))
    connection = accepted.transport.get_extra_info("socket")

    assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
    writer.close()
    await writer.wait_closed()
    await server.stop()
