"""Deliveries from Telegram."""

from dataclasses import replace

import httpx
import pytest

from bot.config import Config
from bot.web.app import create_app
from bot.web.services import Webhook, WebServices
from bot.web.webhook import PATH, SECRET_HEADER
from storage.errors import DatabaseFullError
from tests.bot.web.conftest import client_of

SECRET = "the-secret-of-a-test"


async def deliver(
    services: WebServices, config: Config, content: bytes, secret: str, configured: str = SECRET
) -> tuple[httpx.Response, list[dict[str, object]]]:
    """The answer to a delivery, and what was received."""
    received: list[dict[str, object]] = []

    async def receive(update: dict[str, object]) -> None:
        received.append(update)

    app = create_app(replace(services, webhook=Webhook(configured, receive)), config)
    async with client_of(app, "149.154.167.220") as client:
        return await client.post(PATH, content=content, headers={SECRET_HEADER: secret}), received


async def test_an_update_with_the_secret_is_received(services: WebServices, config: Config) -> None:
    answer, received = await deliver(services, config, b'{"update_id": 7}', SECRET)

    assert (answer.status_code, received) == (200, [{"update_id": 7}])


@pytest.mark.parametrize(("secret", "configured"), [("wrong", SECRET), ("", SECRET), ("", "")])
async def test_a_forged_update_is_refused(
    services: WebServices, config: Config, caplog: pytest.LogCaptureFixture, secret: str, configured: str
) -> None:
    answer, received = await deliver(services, config, b'{"update_id": 7}', secret, configured)

    assert (answer.status_code, received) == (403, [])
    assert "refused POST /telegram/webhook from 149.154.167.220: 403, wrong secret" in caplog.text


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"7"])
async def test_what_is_no_update_is_refused(services: WebServices, config: Config, content: bytes) -> None:
    answer, received = await deliver(services, config, content, SECRET)

    assert (answer.status_code, received) == (422, [])


async def test_an_update_that_cannot_be_stored_is_refused_so_that_it_comes_again(
    services: WebServices, config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    async def receive(_update: dict[str, object]) -> None:
        raise DatabaseFullError("digitbot.db: database or disk is full")

    app = create_app(replace(services, webhook=Webhook(SECRET, receive)), config)
    async with client_of(app, "149.154.167.220") as client:
        answer = await client.post(PATH, content=b'{"update_id": 7}', headers={SECRET_HEADER: SECRET})

    assert answer.status_code == 503
    assert "nothing was stored: digitbot.db: database or disk is full" in caplog.text


async def test_without_a_webhook_there_is_no_such_path(stranger: httpx.AsyncClient) -> None:
    assert (await stranger.post(PATH)).status_code == 404
