import asyncio
import socket
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from bot import app
from bot.config import Web
from bot.errors import UnavailableError
from bot.web.server import WebServer
from tests.bot.conftest import config_in


def app_that_waits_for(begun: asyncio.Event, may_end: asyncio.Event) -> FastAPI:
    served = FastAPI()

    @served.get("/")
    async def index() -> str:
        begun.set()
        await may_end.wait()
        return "done"

    return served


def app_at_once() -> FastAPI:
    may_end = asyncio.Event()
    may_end.set()
    return app_that_waits_for(asyncio.Event(), may_end)


async def test_it_answers_between_start_and_stop() -> None:
    server = WebServer(app_at_once(), "127.0.0.1", 0)
    await server.start()
    async with httpx.AsyncClient() as client:
        assert (await client.get(server.address)).json() == "done"
        await server.stop()
        with pytest.raises(httpx.ConnectError):
            await client.get(server.address)


@pytest.mark.parametrize("host", ["", "0.0.0.0"])
async def test_what_listens_everywhere_is_found_on_this_machine(host: str) -> None:
    server = WebServer(app_at_once(), host, 0)
    await server.start()
    async with httpx.AsyncClient() as client:
        assert server.address == f"http://127.0.0.1:{server.port}"
        assert (await client.get(server.address)).json() == "done"
        await server.stop()


async def test_a_request_in_flight_ends_before_the_server_does() -> None:
    begun, may_end = asyncio.Event(), asyncio.Event()
    server = WebServer(app_that_waits_for(begun, may_end), "127.0.0.1", 0)
    await server.start()
    async with httpx.AsyncClient() as client:
        answer = asyncio.create_task(client.get(server.address))
        await begun.wait()
        stopping = asyncio.create_task(server.stop())
        await asyncio.sleep(0)  # it stops from here on
        may_end.set()
        assert (await answer).json() == "done"
        await stopping


async def test_a_taken_port_is_one_clear_line() -> None:
    first = WebServer(app_at_once(), "127.0.0.1", 0)
    await first.start()
    second = WebServer(app_at_once(), "127.0.0.1", first.port)

    with pytest.raises(UnavailableError, match=f"cannot listen on http://127.0.0.1:{first.port}: Address"):
        await second.start()

    await second.stop()
    await first.stop()


async def test_without_a_token_nothing_is_served_under_a_public_address(tmp_path: Path) -> None:
    """To a proxy's visitors everybody in the local chat would be its administrator."""
    config = config_in(tmp_path, web=Web(port=0, public_url="https://digits.example"))
    async with app.opened(config) as core:
        with pytest.raises(UnavailableError, match=r"web\.public_url is set without telegram\.token"):
            await app.serve(core, lambda _: None)


async def test_small_answers_are_not_held_back() -> None:
    """With Nagle's algorithm on, an answer in two parts takes 40 ms."""
    server = WebServer(app_at_once(), "127.0.0.1", 0)
    await server.start()
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    while not server._server.server_state.connections:
        await asyncio.sleep(0)
    accepted = next(iter(server._server.server_state.connections))
    connection = accepted.transport.get_extra_info("socket")

    assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
    writer.close()
    await writer.wait_closed()
    await server.stop()
