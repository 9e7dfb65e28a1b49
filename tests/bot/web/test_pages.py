"""What the server says along with the draw page."""

import httpx
import pytest


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


async def test_a_module_that_has_not_changed_is_not_sent_again(stranger: httpx.AsyncClient) -> None:
    first = await stranger.get("/draw/draw.js")
    again = await stranger.get("/draw/draw.js", headers={"If-None-Match": first.headers["ETag"]})

    assert (again.status_code, again.content) == (304, b"")


async def test_modules_are_served_as_what_they_are(stranger: httpx.AsyncClient) -> None:
    assert (await stranger.get("/draw/draw.js")).headers["Content-Type"].startswith("text/javascript")


@pytest.mark.parametrize("path", ["/draw/../app.py", "/draw/%2e%2e/app.py", "/draw/missing.js"])
async def test_no_other_file_is_served(stranger: httpx.AsyncClient, path: str) -> None:
    assert (await stranger.get(path)).status_code == 404
