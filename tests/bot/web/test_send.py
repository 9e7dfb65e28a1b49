"""The Mini App's "Send to chat"."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI

from bot.config import Config
from bot.web.app import create_app
from bot.web.init_data import sign
from bot.web.services import WebServices
from tests.bot.web.conftest import NOW, PAGE, TOKEN, Chat, client_of
from tests.bot.web.strokes import drawing_of


def launch(user_id: int = 42, age: timedelta = timedelta()) -> dict[str, str]:
    return {"Authorization": f"tma {sign({'id': user_id, 'first_name': 'Ada'}, TOKEN, NOW - age)}"}


async def send(client: httpx.AsyncClient, headers: dict[str, str]) -> int:
    return (await client.post("/api/drawing/send", content=drawing_of(3), headers=headers)).status_code


async def test_a_drawing_reaches_the_chat_of_its_user(stranger: httpx.AsyncClient, chat: Chat) -> None:
    assert await send(stranger, launch()) == 204

    [(who, drawing)] = chat.received
    assert (who.user_id, drawing) == (42, drawing_of(3))


async def test_a_launch_sends_once_and_a_replay_is_refused_and_logged(
    stranger: httpx.AsyncClient, chat: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    header = launch()

    assert [await send(stranger, header) for _ in range(3)] == [204, 409, 409]
    assert caplog.text.count("refused POST /api/drawing/send from 127.0.0.1: 409") == 2
    assert len(chat.received) == 1


async def test_two_sends_at_once_are_one(stranger: httpx.AsyncClient, chat: Chat) -> None:
    header = launch()

    assert sorted(await asyncio.gather(*(send(stranger, header) for _ in range(4)))) == [204, 409, 409, 409]


async def test_reading_does_not_spend_the_launch(stranger: httpx.AsyncClient) -> None:
    header = launch()
    for _ in range(3):
        assert (await stranger.post("/api/drawing", content=drawing_of(3), headers=header)).status_code == 200

    assert await send(stranger, header) == 204


async def test_a_launch_is_not_spent_on_a_failure(app: FastAPI, chat: Chat) -> None:
    chat.broken = True
    async with client_of(app) as client:
        assert await send(client, launch()) == 500
        chat.broken = False
        assert await send(client, launch()) == 204


async def test_every_user_has_a_launch(stranger: httpx.AsyncClient, chat: Chat) -> None:
    assert [await send(stranger, launch(user)) for user in (1, 2, 3)] == [204, 204, 204]
    assert [who.user_id for who, _ in chat.received] == [1, 2, 3]


async def test_launches_from_before_the_server_started_are_refused(stranger: httpx.AsyncClient) -> None:
    """What was sent before a restart is not known any more, so no such launch sends again."""
    assert await send(stranger, launch(age=timedelta(minutes=1))) == 409


@pytest.mark.parametrize("content", [b"", b"hello", b"\x89PNG\r\n\x1a\n"])
async def test_what_is_no_drawing_does_not_reach_the_chat(
    stranger: httpx.AsyncClient, chat: Chat, content: bytes
) -> None:
    answer = await stranger.post("/api/drawing/send", content=content, headers=launch())

    assert answer.status_code == 422
    assert chat.received == []


async def test_a_page_without_a_launch_has_no_chat(stranger: httpx.AsyncClient, chat: Chat) -> None:
    assert await send(stranger, PAGE) == 403
    assert chat.received == []


async def test_without_a_bot_there_is_no_chat(services: WebServices, config: Config) -> None:
    async with client_of(create_app(replace(services, send_drawing=None), config)) as client:
        assert await send(client, launch()) == 403
