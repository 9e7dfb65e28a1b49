"""The draw page in a real browser, served by the real server, drawn on with mouse, finger, pen and keys."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Literal
from urllib.parse import urlencode

import numpy as np
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Request, Response, Route, expect
from pydantic import SecretStr

from bot.config import Config, Web
from bot.web.app import create_app
from bot.web.init_data import InitData, sign
from bot.web.server import WebServer
from bot.web.services import WebServices
from model.nn import checkpoint
from model.nn.network import Network
from model.reading import Reading
from model.recognizer import Recognizer
from model.vision.finding import read_page
from tests.bot.web.strokes import strokes_of
from tests.browser import chromium

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("draw page")]

TOKEN = "123456:a-token-of-a-test"
KEY = "a-key-of-a-test"
POINTS = 12  # of a stroke, one move of the mouse each
PAGE_BYTES = 100_000
KEEP_ANSWERS = """const ask = window.fetch;
                  window.answers = [];
                  window.fetch = async (path, options) => {
                      const number = path === "/api/drawing" ? answers.push(null) - 1 : null;
                      const response = await ask(path, options);
                      if (number !== null) answers[number] = await response.clone().json();
                      return response; }"""
"""Readings in the order in which the page asked for them: it shows the last one. The browser tells us of
responses in its own time, perhaps after the page has shown them."""
INK = """() => { const board = document.getElementById("board");
                  const pixels = board.getContext("2d").getImageData(0, 0, board.width, board.height).data;
                  return pixels.filter((value, i) => i % 4 === 3 && value > 0).length }"""


@dataclass(frozen=True)
class Site:
    """The running server and what it was given."""

    address: str
    classic: Network
    sent: list[tuple[InitData, bytes]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


def services(sent: list[tuple[InitData, bytes]]) -> WebServices:
    recognizer = Recognizer.from_checkpoint(checkpoint.shipped("reader"))

    async def read(drawing: bytes) -> Reading:
        return await asyncio.to_thread(lambda: recognizer.read(read_page(drawing)))

    async def send(launch: InitData, drawing: bytes) -> None:
        sent.append((launch, drawing))

    async def classify(x: Any) -> Any:
        return await asyncio.to_thread(recognizer.classify, x)

    classic = checkpoint.shipped("classic").network
    return WebServices(read=read, classify=classify, classic=classic, token=TOKEN, send_drawing=send)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(browser: Browser) -> AsyncIterator[Site]:  # only where there is a browser to visit it
    sent: list[tuple[InitData, bytes]] = []
    given = services(sent)
    server = WebServer(create_app(given, Config()), "127.0.0.1", 0)
    await server.start()
    yield Site(server.address, given.classic, sent)
    await server.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser, site: Site) -> AsyncIterator[Page]:
    """The page in a window of its own; a script error or a request to elsewhere fails the test."""
    context = await browser.new_context(viewport={"width": 1180, "height": 1000})
    page = await context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: errors.append(request.url) if _is_elsewhere(request, site) else None)
    await open_page(page, f"{site.address}/draw")
    yield page
    await context.close()
    assert errors == []


async def open_page(page: Page, address: str) -> None:
    """Open the page and wait until it has what it needs."""
    await page.add_init_script(KEEP_ANSWERS)
    await page.goto(address)
    await expect(page.locator("body")).to_have_attribute("data-state", "ready")


def _is_elsewhere(request: Request, site: Site) -> bool:
    return not request.url.startswith((site.address, "data:"))


async def on_board(page: Page, points: np.ndarray) -> list[tuple[float, float]]:
    """Points of the unit square in pixels of the window."""
    box = await page.locator("#board").bounding_box()
    assert box is not None  # it is on the page
    return [(float(box["x"] + x * box["width"]), float(box["y"] + y * box["height"])) for x, y in points]


class Drawer:
    """Draws on the page as a person does, and knows what the server answered."""

    def __init__(self, page: Page) -> None:
        self.page = page

    async def draw(self, digit: int, at: tuple[float, float] = (0, 0), size: float = 1) -> None:
        """Draw a digit with the mouse."""
        for stroke in strokes_of(digit):
            points = (stroke[:: max(1, len(stroke) // POINTS)] - 0.5) * size + 0.5 + at
            first, *others = await on_board(self.page, points)
            await self.page.mouse.move(*first)
            await self.page.mouse.down()
            for point in others:
                await self.page.mouse.move(*point)
            await self.page.mouse.up()

    async def answer(self) -> dict[str, Any]:
        """The answer that the page shows, when it has caught up with the drawing."""
        await expect(self.page.locator("body")).to_have_attribute("data-state", "ready")
        told: dict[str, Any] = await self.page.evaluate("answers.at(-1)")
        return told


async def test_every_digit_is_read_while_it_is_drawn(page: Page) -> None:
    drawer = Drawer(page)
    for digit in range(10):
        await drawer.draw(digit)

        assert (await drawer.answer())["digits"] == str(digit)
        await expect(page.locator("#verdict")).to_contain_text("sure")
        await page.get_by_role("button", name="Clear").click()
        await expect(page.locator("#digits")).to_have_text("?")


@pytest.mark.parametrize(
    ("confidence", "said"), [(0.9985, "> 99 % sure"), (0.994, "99 % sure"), (0.6, "60 % sure")]
)
async def test_no_answer_is_called_certain(page: Page, confidence: float, said: str) -> None:
    async def answer(route: Route) -> None:
        response = await route.fetch()
        await route.fulfill(response=response, json={**await response.json(), "confidence": confidence})

    await page.route("**/api/drawing", answer)
    await Drawer(page).draw(8)

    await expect(page.locator("#verdict")).to_have_text(said)
    await page.unroute_all(behavior="wait")


async def test_neurons_are_lit_by_the_activations_of_the_api(page: Page) -> None:
    drawer = Drawer(page)
    await drawer.draw(5)
    glyph = (await drawer.answer())["glyphs"][0]

    lit = await page.eval_on_selector_all(
        ".cell",
        "cells => cells.map(c => [c.dataset.activation, c.querySelector('.light').getAttribute('opacity')])",
    )

    expected = [*glyph["classic"]["h1"], *glyph["classic"]["h2"], *glyph["classic"]["o"]]
    assert [float(activation) for activation, _ in lit] == expected
    assert [float(opacity) for _, opacity in lit] == expected
    bars = await page.eval_on_selector_all("#bars li", "bars => bars.map(bar => Number(bar.dataset.value))")
    assert bars == glyph["classic"]["o"]


async def test_lines_are_the_strongest_weights_times_what_they_carry(page: Page, site: Site) -> None:
    drawer = Drawer(page)
    await drawer.draw(8)
    glyph = (await drawer.answer())["glyphs"][0]

    lines = await page.eval_on_selector_all(
        ".lines line",
        """lines => lines.map(line => ({...line.dataset, sign: line.getAttribute("class"),
                                        width: Number(line.getAttribute("stroke-width"))}))""",
    )

    x = np.asarray([glyph["pixels"]], np.float32) / np.float32(255)
    inputs = [x, *site.classic.activations(x)]
    weights = list(site.classic.parameters().values())[::2]
    for layer, (carried, weight) in enumerate(zip(inputs, weights, strict=False)):
        contributions = carried[0][:, None] * weight
        shown = [line for line in lines if int(line["layer"]) == layer]
        values = np.array([float(line["value"]) for line in shown])
        places = [(int(line["from"]), int(line["to"])) for line in shown]
        np.testing.assert_allclose(values, [contributions[place] for place in places], rtol=1e-3, atol=1e-4)
        strongest = np.sort(np.abs(contributions).ravel())[::-1][: len(shown)]
        np.testing.assert_allclose(np.sort(np.abs(values))[::-1], strongest, rtol=1e-3, atol=1e-4)
        assert [line["sign"] for line in shown] == ["plus" if value > 0 else "minus" for value in values]
        widths = [line["width"] for line in shown]
        assert [widths[i] for i in np.argsort(np.abs(values), kind="stable")] == sorted(widths)


async def test_a_neuron_shows_its_weights_sum_and_sigmoid(page: Page, site: Site) -> None:
    drawer = Drawer(page)
    await drawer.draw(3)
    glyph = (await drawer.answer())["glyphs"][0]

    await page.locator('[data-layer="0"][data-neuron="6"]').click()

    weight, bias = list(site.classic.parameters().values())[:2]
    x = np.asarray(glyph["pixels"], np.float32) / np.float32(255)
    z = float(x @ weight[:, 6] + bias[6])
    panel = page.locator("#neuron")
    await expect(panel.get_by_role("heading")).to_have_text("First hidden layer, neuron 7")
    assert float(await panel.get_attribute("data-sum") or "") == pytest.approx(z, abs=1e-3)
    await expect(panel.locator("math").last).to_contain_text(f"{1 / (1 + np.exp(-z)):.4f}")
    signs = await page.evaluate(
        """() => { const context = document.querySelector("#neuron .weights").getContext("2d");
                   const data = context.getImageData(0, 0, 28, 28).data;
                   return Array.from({length: 784}, (_, i) => Math.sign(data[4 * i + 2] - data[4 * i])) }"""
    )
    strong = np.abs(weight[:, 6]) > np.abs(weight[:, 6]).max() / 3
    assert np.array_equal(np.asarray(signs)[strong], np.sign(weight[:, 6])[strong])


async def test_the_reader_is_bars_only(page: Page) -> None:
    drawer = Drawer(page)
    await drawer.draw(2)
    glyph = (await drawer.answer())["glyphs"][0]

    await page.get_by_role("radio", name="Reader").check()

    await expect(page.locator("#inside")).to_be_hidden()
    bars = await page.eval_on_selector_all("#bars li", "bars => bars.map(bar => Number(bar.dataset.value))")
    assert bars == glyph["probabilities"]


async def test_undo_and_clear_change_the_answer(page: Page) -> None:
    drawer = Drawer(page)
    await drawer.draw(1)
    before = await drawer.answer()
    points = await on_board(page, np.array([[0.2, 0.9], [0.8, 0.1]]))
    await page.mouse.move(*points[0])
    await page.mouse.down()
    await page.mouse.move(*points[1])
    await page.mouse.up()
    assert (await drawer.answer())["glyphs"] != before["glyphs"]

    await page.keyboard.press("Control+z")
    after = await drawer.answer()
    assert after["glyphs"] == before["glyphs"]

    await page.get_by_role("button", name="Clear").click()
    await expect(page.locator("#digits")).to_have_text("?")
    await page.get_by_role("button", name="Undo").click()
    await expect(page.locator("#digits")).to_have_text("1")


async def test_several_digits_can_be_looked_at_one_by_one(page: Page) -> None:
    drawer = Drawer(page)
    await drawer.draw(4, at=(-0.25, 0), size=0.6)
    await drawer.draw(7, at=(0.25, 0), size=0.6)
    answer = await drawer.answer()

    await expect(page.locator("#digits")).to_have_text("47")
    await page.get_by_role("button", name="Digit 2, read as 7").press("Enter")
    bars = await page.eval_on_selector_all("#bars li", "bars => bars.map(bar => Number(bar.dataset.value))")
    assert bars == answer["glyphs"][1]["classic"]["o"]


async def test_the_keyboard_draws_and_walks_through_the_neurons(page: Page) -> None:
    drawer = Drawer(page)
    await page.locator("#board").focus()
    await page.keyboard.press("Space")
    for _ in range(14):
        await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Space")
    assert (await drawer.answer())["digits"] == "1"

    await page.locator('.cell[tabindex="0"]').focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowRight", "ArrowUp"):
        await page.keyboard.press(key)
    await expect(page.locator(".cell:focus")).to_have_attribute(
        "aria-label", "output, digit 0, activation 0.00"
    )
    await expect(page.locator("#neuron").get_by_role("heading")).to_have_text("Output for digit 0")
    await page.locator("#board").focus()
    await page.keyboard.press("Delete")
    await expect(page.locator("#verdict")).to_have_text("Nothing drawn yet")


async def test_what_is_taken_back_lifts_the_pen(page: Page) -> None:
    await page.locator("#board").focus()
    for key in ("Space", "ArrowDown", "ArrowDown", "Delete", "ArrowDown", "ArrowDown"):
        await page.keyboard.press(key)
    await expect(page.locator("#verdict")).to_have_text("Nothing drawn yet")

    await page.keyboard.press("Space")
    for _ in range(10):
        await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Space")
    assert (await Drawer(page).answer())["digits"] == "1"


async def test_a_drawing_that_cannot_be_read_is_not_answered_and_read_when_the_server_is_back(
    page: Page,
) -> None:
    drawer = Drawer(page)
    await drawer.draw(4, at=(-0.25, 0), size=0.6)
    await drawer.answer()
    await page.route("**/api/drawing", lambda route: route.abort())
    await drawer.draw(7, at=(0.25, 0), size=0.6)
    await expect(page.locator("#verdict")).to_have_text("Not read yet")
    await expect(page.locator("#notice")).to_contain_text("the server cannot be reached")

    await page.unroute("**/api/drawing")

    await expect(page.locator("#digits")).to_have_text("47")
    await expect(page.locator("#notice")).to_be_hidden()


async def test_a_network_that_could_not_be_fetched_is_fetched_with_the_first_reading(
    browser: Browser, site: Site
) -> None:
    page = await browser.new_page()
    await page.route("**/api/networks/classic", lambda route: route.abort(), times=1)
    await open_page(page, f"{site.address}/draw")
    await Drawer(page).draw(3)

    await expect(page.locator(".network line").first).to_be_attached()
    await page.close()


async def test_a_screen_reader_hears_what_was_read_and_once(page: Page) -> None:
    await page.evaluate(
        "window.said = []; const status = document.querySelector('#status');"
        "new MutationObserver(() => said.push(status.textContent))"
        ".observe(status, { childList: true, characterData: true, subtree: true })"
    )
    drawer = Drawer(page)
    await drawer.draw(6)
    await drawer.answer()

    await expect(page.get_by_role("status")).to_contain_text("6, ")
    said = await page.evaluate("said")
    assert all(one != other for one, other in pairwise(said))
    assert await page.locator("#neuron").get_attribute("aria-live") is None
    for name in ("Undo", "Clear"):
        await expect(page.get_by_role("button", name=name)).to_be_enabled()
    await expect(page.get_by_role("radio", name="Classic network")).to_be_checked()


async def test_finger_and_pen_draw_and_pressure_is_felt(page: Page) -> None:
    session = await page.context.new_cdp_session(page)
    down = [{"x": x, "y": y} for x, y in await on_board(page, strokes_of(7)[0][::4])]
    await session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [down[0]]})
    for point in down[1:]:
        await session.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [point]})
    await session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    await expect(page.locator("#digits")).to_have_text("7")  # fingers are felt a moment later than mice

    inks = []
    for force in (0.1, 1.0):
        await page.get_by_role("button", name="Clear").click()
        for kind, point in zip(
            ("mousePressed", "mouseMoved", "mouseReleased"), (down[0], down[-1], down[-1]), strict=True
        ):
            event = {
                "type": kind,
                "button": "left",
                "buttons": 1,
                "clickCount": 1,
                "pointerType": "pen",
                "force": force,
            }
            await session.send("Input.dispatchMouseEvent", event | point)
        inks.append(await page.evaluate(INK))
    assert inks[1] > 1.8 * inks[0]


async def test_the_page_is_small_and_asks_nobody_else(browser: Browser, site: Site) -> None:
    page = await browser.new_page()
    bodies: list[Response] = []
    page.on("response", lambda response: bodies.append(response))  # noqa: PLW0108 - it marks what it is given
    await open_page(page, f"{site.address}/draw")

    files = {response.url: len(await response.body()) for response in bodies if "/draw" in response.url}
    assert sum(files.values()) < PAGE_BYTES
    assert {url.split("/")[2] for url in (response.url for response in bodies) if url.startswith("http")} == {
        site.address.split("/")[2]
    }
    await page.close()


async def test_it_fits_every_screen_in_light_and_dark(page: Page) -> None:
    schemes: tuple[tuple[Literal["light", "dark"], str], ...] = (
        ("light", "rgb(244, 242, 236)"),
        ("dark", "rgb(18, 19, 25)"),
    )
    for width in (320, 390, 768, 1440):
        await page.set_viewport_size({"width": width, "height": 800})
        for scheme, background in schemes:
            await page.emulate_media(color_scheme=scheme)
            assert await page.evaluate("document.documentElement.scrollWidth") == width
            await expect(page.locator("body")).to_have_css("background-color", background)


async def test_the_mini_app_sends_its_drawing_to_the_chat_once(browser: Browser, site: Site) -> None:
    context = await browser.new_context()
    await context.route("https://telegram.org/**", lambda route: route.abort())  # its script is not needed
    page = await context.new_page()
    init_data = sign({"id": 42, "first_name": "Ada"}, TOKEN, datetime.now(UTC))
    theme = json.dumps({"bg_color": "#17212b"})
    fragment = urlencode({"tgWebAppData": init_data, "tgWebAppPlatform": "ios", "tgWebAppThemeParams": theme})
    await open_page(page, f"{site.address}/draw#{fragment}")
    drawer = Drawer(page)

    await drawer.draw(9)
    assert (await drawer.answer())["digits"] == "9"
    await page.get_by_role("button", name="Send to chat").click()

    await expect(page.get_by_role("button", name="Sent")).to_be_visible()
    [(launch, drawing)] = site.sent
    assert launch.user_id == 42
    assert drawing.startswith(b"\x89PNG")
    assert await page.get_attribute("html", "data-theme") == "dark"
    site.sent.clear()
    await drawer.draw(1)
    await page.get_by_role("button", name="Sent").click()
    await expect(page.locator("#notice")).to_contain_text("open it again from the chat")
    assert site.sent == []
    await context.close()


async def test_elsewhere_the_page_asks_for_a_key(browser: Browser, site: Site) -> None:
    config = Config(web=Web(public_url="https://digits.example", api_keys=(SecretStr(KEY),)))
    server = WebServer(create_app(services([]), config), "127.0.0.1", 0)
    await server.start()
    page = await browser.new_page()
    await open_page(page, f"{server.address}/draw")

    await expect(page.locator("#notice")).to_contain_text("API key")
    for wrong in ("abc…", "another key", "anotherkey"):
        await page.get_by_label("API key").fill(wrong)
        await page.get_by_role("button", name="Use it").click()
        await expect(page.locator("#notice")).to_contain_text("That key is not accepted.")
    await page.reload()
    await expect(page.locator("#notice")).to_contain_text("API key")
    await page.get_by_label("API key").fill(f" {KEY} ")
    await page.get_by_role("button", name="Use it").click()
    await expect(page.locator("#notice")).to_be_hidden()
    drawer = Drawer(page)
    await drawer.draw(0)
    assert (await drawer.answer())["digits"] == "0"

    await page.close()
    await server.stop()
