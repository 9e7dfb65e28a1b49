"""What the server says along with the draw page."""

import json
import re
from pathlib import Path

import httpx
import pytest

from bot import i18n
from bot.config import Config
from bot.localchat import LocalChat
from bot.web import pages
from bot.web.app import create_app
from bot.web.page_texts import page_texts
from bot.web.services import WebServices
from tests.bot.web.conftest import PAGE, client_of


async def test_the_page_lets_nothing_in_but_its_own_files(stranger: httpx.AsyncClient) -> None:
    page = await stranger.get("/draw")

    policy = dict(part.split(" ", 1) for part in page.headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self' https://telegram.org"
    assert policy["connect-src"] == "'self'"
    assert "<script>" not in page.text
    assert " style=" not in page.text


@pytest.mark.parametrize("path", ["/draw", "/draw/draw.js", "/draw/draw.css"])
async def test_every_visit_asks_whether_a_file_has_changed(stranger: httpx.AsyncClient, path: str) -> None:
    headers = (await stranger.get(path)).headers

    assert headers["Cache-Control"] == "no-cache"
    assert headers["X-Content-Type-Options"] == "nosniff"


async def test_all_that_the_page_says_comes_from_the_catalogue(stranger: httpx.AsyncClient) -> None:
    page = (await stranger.get("/draw", headers={"Accept-Language": "xx-YY,en;q=0.8"})).text
    block = re.search(r'<script type="application/json" id="texts">(.*?)</script>', page, re.DOTALL)
    assert block is not None
    texts = json.loads(block[1])

    assert texts == page_texts(i18n.texts("en"))
    assert '<html lang="en">' in page
    assert f"<h1>{texts['title']}</h1>" in page
    template, modules = (
        (pages.STATIC / "draw.html").read_text(),
        "".join(file.read_text() for file in pages.STATIC.glob("*.js")),
    )
    named = set(re.findall(r"\$\{(\w+)\}", template)) | set(re.findall(r'say\("(\w+)"', modules))
    assert named - {"texts", "language"} <= texts.keys()
    visible = re.sub(r"<(script|style).*?</\1>|<[^>]*>|\$\{\w+\}", " ", template, flags=re.DOTALL)
    assert set(visible.split()) <= {"·", "digitbot", "0–9", "↶", "✕", "?"}


async def test_a_module_that_has_not_changed_is_not_sent_again(stranger: httpx.AsyncClient) -> None:
    first = await stranger.get("/draw/draw.js")
    again = await stranger.get("/draw/draw.js", headers={"If-None-Match": first.headers["ETag"]})

    assert (again.status_code, again.content) == (304, b"")


async def test_modules_are_served_as_what_they_are(stranger: httpx.AsyncClient) -> None:
    assert (await stranger.get("/draw/draw.js")).headers["Content-Type"].startswith("text/javascript")


@pytest.mark.parametrize("path", ["/draw/../app.py", "/draw/%2e%2e/app.py", "/draw/missing.js"])
async def test_no_other_file_is_served(stranger: httpx.AsyncClient, path: str) -> None:
    assert (await stranger.get(path)).status_code == 404


@pytest.mark.parametrize("path", ["/draw", "/health"])
async def test_who_watches_may_ask_for_the_head_alone(stranger: httpx.AsyncClient, path: str) -> None:
    answer = await stranger.head(path)

    assert (answer.status_code, answer.content) == (200, b"")


async def test_the_page_is_in_one_place(stranger: httpx.AsyncClient) -> None:
    assert (await stranger.get("/draw/")).headers["Location"] == "/draw"


async def test_the_local_chat_gets_what_is_nobody_elses(
    services: WebServices, config: Config, tmp_path: Path
) -> None:
    localchat = LocalChat(tmp_path / "localchat.db")
    await localchat.start()
    async with client_of(create_app(services, config, localchat.application)) as client:
        assert "text/html" in (await client.get("/", headers=PAGE)).headers["Content-Type"]
        assert (await client.get("/draw")).status_code == 200
        wrong_method = await client.get("/predict")
        assert (wrong_method.status_code, wrong_method.headers["Allow"]) == (405, "POST")
    await localchat.close()
