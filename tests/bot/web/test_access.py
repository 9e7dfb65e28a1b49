"""Who may call the API without a key."""

import logging
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI

from bot.config import Config, Limits, Web
from bot.web.app import create_app
from bot.web.init_data import sign
from bot.web.services import WebServices
from tests.bot.web.conftest import NOW, PAGE, TOKEN, Chat, client_of
from tests.bot.web.strokes import drawing_of

ADA: dict[str, object] = {"id": 42, "first_name": "Ada"}
BLANK = {"pixels": [0.0] * 784}


def launched(age: timedelta = timedelta(), user: dict[str, object] = ADA) -> dict[str, str]:
    """The header of a Mini App that Telegram opened that long ago."""
    return {"Authorization": f"tma {sign(user, TOKEN, NOW - age)}"}


async def test_a_page_of_this_server_on_this_machine_may_call(app: FastAPI) -> None:
    for name in ("127.0.0.1:8080", "localhost:8080", "[::1]:8080", "localhost"):
        async with client_of(app) as client:
            headers = {"Host": name, "Origin": f"http://{name}"}
            assert (await client.post("/predict", json=BLANK, headers=headers)).status_code == 200


async def test_browsers_leave_the_origin_out_of_gets(stranger: httpx.AsyncClient) -> None:
    same = await stranger.get("/api/networks/classic", headers={"Sec-Fetch-Site": "same-origin"})
    cross = await stranger.get("/api/networks/classic", headers={"Sec-Fetch-Site": "cross-site"})

    assert (same.status_code, cross.status_code) == (200, 401)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "same-origin"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Origin": "https://127.0.0.1:8080"},
        {"Host": "evil.example:8080", "Origin": "http://evil.example:8080"},
        {"Host": "127.0.0.1.evil.example", "Origin": "http://127.0.0.1.evil.example"},
        {"Host": "[", "Origin": "http://["},
        PAGE | {"X-Forwarded-For": "127.0.0.1"},
        PAGE | {"Via": "1.1 proxy"},
    ],
)
async def test_other_pages_may_not(stranger: httpx.AsyncClient, headers: dict[str, str]) -> None:
    assert (await stranger.post("/predict", json=BLANK, headers=headers)).status_code == 401


async def test_another_machine_may_not(app: FastAPI) -> None:
    for address in ("192.0.2.7", "2001:db8::1", "testclient"):
        async with client_of(app, address) as client:
            assert (await client.post("/predict", json=BLANK, headers=PAGE)).status_code == 401


async def test_behind_a_proxy_this_machine_is_nobody_special(services: WebServices) -> None:
    app = create_app(services, Config(web=Web(public_url="https://digits.example")))
    async with client_of(app) as client:
        assert (await client.post("/predict", json=BLANK, headers=PAGE)).status_code == 401
        assert (await client.post("/predict", json=BLANK, headers=launched())).status_code == 200


async def test_a_mini_app_may_call_from_anywhere(app: FastAPI) -> None:
    async with client_of(app, "192.0.2.7") as client:
        assert (await client.post("/predict", json=BLANK, headers=launched())).status_code == 200


@pytest.mark.parametrize(
    "authorization",
    [
        "tma ",
        "tma user=%7B%22id%22%3A42%7D&auth_date=1772366400&hash=" + "0" * 64,
        launched(timedelta(hours=2))["Authorization"],
        launched()["Authorization"].replace("42", "43"),
        launched()["Authorization"].replace("tma", "Bearer"),
    ],
    ids=["empty", "forged", "expired", "another user", "another scheme"],
)
async def test_init_data_that_is_not_believed_is_refused_and_logged(
    stranger: httpx.AsyncClient, chat: Chat, caplog: pytest.LogCaptureFixture, authorization: str
) -> None:
    with caplog.at_level(logging.WARNING):
        answer = await stranger.post(
            "/api/drawing/send", content=drawing_of(3), headers={"Authorization": authorization}
        )

    assert answer.status_code == 401
    assert chat.received == []
    assert "refused POST /api/drawing/send from 127.0.0.1" in caplog.text


async def test_refusals_log_neither_key_nor_init_data(
    stranger: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        await stranger.post("/predict", json=BLANK, headers={"X-API-Key": "nearly-the-key"})
        await stranger.post("/predict", json=BLANK, headers=launched(timedelta(hours=2)))

    assert "nearly-the-key" not in caplog.text
    assert "Ada" not in caplog.text


async def test_who_calls_too_often_waits(services: WebServices) -> None:
    app = create_app(services, Config(limits=Limits(requests_per_minute=2)))
    async with client_of(app) as client:
        answers = [await client.post("/predict", json=BLANK, headers=PAGE) for _ in range(3)]
        other = await client.post("/predict", json=BLANK, headers=launched())

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 1 <= int(answers[2].headers["Retry-After"]) <= 30
    assert other.status_code == 200


async def test_metrics_follow_the_rule_and_health_needs_nothing(stranger: httpx.AsyncClient) -> None:
    assert (await stranger.get("/metrics")).status_code == 401
    assert (await stranger.get("/health")).status_code == 200


async def test_no_other_origin_may_read_answers_unless_configured(services: WebServices) -> None:
    origin = {"Origin": "https://example.org", "Access-Control-Request-Method": "POST"}
    async with client_of(create_app(services, Config())) as client:
        closed = await client.options("/predict", headers=origin)
    async with client_of(
        create_app(services, Config(web=Web(cors_origins=("https://example.org",))))
    ) as client:
        opened = await client.options("/predict", headers=origin)

    assert "Access-Control-Allow-Origin" not in closed.headers
    assert opened.headers["Access-Control-Allow-Origin"] == "https://example.org"
