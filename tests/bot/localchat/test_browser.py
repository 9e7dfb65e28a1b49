"""The chat page in a real browser, with the real bot behind it."""

import asyncio
import io
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
from PIL import Image
from playwright.async_api import (
    APIResponse,
    Browser,
    FilePayload,
    Locator,
    Page,
    Request,
    Route,
    ViewportSize,
    expect,
)

from model.learning.camera import SamplePhoto, sample_photos
from tests.bot.conftest import Running, config_in, running_in
from tests.bot.person import PATIENCE, Person
from tests.browser import chromium

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("chat page")]

DESKTOP: ViewportSize = {"width": 1180, "height": 820}
Fault = Callable[[Route], Awaitable[None]]
PHONE: ViewportSize = {"width": 360, "height": 740}
GIVE_FILE = """(bytes, kind) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([new Uint8Array(bytes)], "digit.jpg", { type: "image/jpeg" }));
    if (kind === "paste") {
        document.dispatchEvent(new ClipboardEvent("paste", { clipboardData: transfer }));
        return;
    }
    const zone = document.querySelector("#chat");
    zone.dispatchEvent(new DragEvent("dragenter", { dataTransfer: transfer, bubbles: true }));
    const half = document.querySelector("#dropzone [data-kind='" + kind + "']");
    half.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
}"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bot_at_work(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    async with running_in(config_in(tmp_path_factory.mktemp("bot"))) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desktop(browser: Browser, bot_at_work: Running) -> AsyncIterator[Page]:
    async with opened(browser, bot_at_work, DESKTOP) as page:
        yield page


@pytest_asyncio.fixture(loop_scope="module")
async def page(desktop: Page) -> Page:
    """The page on a desktop, in the chat of "You"; nothing may go wrong in its scripts."""
    await become(desktop, "You")
    return desktop


@pytest_asyncio.fixture(loop_scope="module")
async def fresh(browser: Browser, tmp_path: Path) -> AsyncIterator[Page]:
    """The page on a desktop, of a bot that nobody has written to yet."""
    async with running_in(config_in(tmp_path)) as running, opened(browser, running, DESKTOP) as page:
        yield page


class opened:  # noqa: N801 - used like a function, as the context managers of contextlib
    """A visit to the page."""

    def __init__(self, browser: Browser, running: Running, viewport: ViewportSize, **options: Any) -> None:
        self._browser, self._running, self._options = browser, running, {"viewport": viewport, **options}
        self._errors: list[str] = []

    async def __aenter__(self) -> Page:
        context = await self._browser.new_context(**self._options)
        self._page = await context.new_page()
        self._page.set_default_timeout(1000 * PATIENCE)
        self._page.on("pageerror", lambda error: self._errors.append(str(error)))
        await self._page.goto(str(self._running.client.base_url))
        await expect(self._page.locator("#title")).to_have_text("digitbot")
        return self._page

    async def __aexit__(self, *_: object) -> None:
        await self._page.context.close()
        assert self._errors == []


@pytest.fixture(scope="module")
def seven() -> SamplePhoto:
    """A photo of a seven."""
    return next(photo for photo in sample_photos(24, 1) if photo.digits == "7")


async def become(page: Page, name: str) -> None:
    """Write as this person from now on, in the private chat."""
    await page.get_by_role("radio", name=name).click()
    await expect(page.locator("#status")).to_contain_text(f"you are {name}")


async def begin(page: Page) -> None:
    """Press Start where a chat is empty."""
    await expect(page.locator("#start:visible, #composer:visible").first).to_be_visible()
    if await page.locator("#start").is_visible():
        await page.locator("#start").click()
        await expect(newest_answer(page)).to_contain_text("Send me a photo")


async def scroll_up(page: Page, until: Coroutine[Any, Any, object]) -> None:
    """From the newest message to the oldest, again and again: who stands at the end is kept there."""
    await page.locator("#scroller").hover()
    waiting = asyncio.create_task(until)
    while not waiting.done():
        for down in (10_000, -10_000):
            await page.mouse.wheel(0, down)
            await page.wait_for_timeout(100)  # the page hears of it in the next frame
    await waiting


@asynccontextmanager
async def sending(page: Page) -> AsyncIterator[None]:
    """Wait at the end of the block until what was sent in it stands in the chat."""
    own = page.locator(".message.out")
    before = await own.count()
    yield
    await expect(own).to_have_count(before + 1)


def after(event: asyncio.Event) -> Callable[[Route], Awaitable[None]]:
    """Lets a request go on when something has happened."""

    async def wait(route: Route) -> None:
        await event.wait()
        await route.fallback()

    return wait


async def clear_history(page: Page) -> None:
    await page.locator("#more").click()
    await page.get_by_role("menuitem", name="Clear history").click()


async def say(page: Page, text: str) -> None:
    async with sending(page):
        await page.locator("#text").fill(text)
        await page.keyboard.press("Enter")


async def paste(page: Page, photo: SamplePhoto) -> None:
    async with sending(page):
        await page.evaluate(f"([bytes, way]) => ({GIVE_FILE})(bytes, way)", [list(photo.jpeg), "paste"])
        await page.locator("#outbox").get_by_role("button", name="Send").click()


async def answer_newest(page: Page) -> None:
    """Choose one's own newest message to be answered by the next."""
    await page.locator(".message.out").last.focus()
    await page.keyboard.press("r")
    await expect(page.locator("#context")).to_be_visible()


def newest_answer(page: Page) -> Locator:
    """What the bot said last, after what was said to it last."""
    return page.locator(".message:not(.out, .typing, :has(~ .message.out))").last


async def expect_reading(page: Page, digit: str) -> None:
    """The newest answer reads the digit and marks its button green."""
    await expect(newest_answer(page).locator(".words")).to_contain_text(re.compile(rf"^{digit}\s"))
    await expect(newest_answer(page).locator(".keyboard .success")).to_have_text(digit)


@asynccontextmanager
async def hidden(page: Page) -> AsyncIterator[None]:
    """The page as a tab behind others, from when it has given its line up until the end of the block."""
    see = """(hidden) => {
        Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
    }"""

    def is_line(request: Request) -> bool:
        return request.url.endswith("/events")

    async with page.expect_event("requestfailed", is_line):
        await page.evaluate(see, True)
    yield
    await page.evaluate(see, False)


async def read_aloud(page: Page) -> set[str]:
    """What the browser tells screen readers; Playwright itself would count in what is inert."""
    session = await page.context.new_cdp_session(page)
    tree = await session.send("Accessibility.getFullAXTree")
    await session.detach()
    return {node["name"]["value"] for node in tree["nodes"] if not node["ignored"] and "name" in node}


async def test_a_newcomer_is_told_what_the_bot_does_and_starts_it(fresh: Page) -> None:
    await expect(fresh.locator("#welcome")).to_contain_text("What can this bot do?")

    await begin(fresh)

    await expect(fresh.locator("#welcome")).to_be_hidden()
    await expect(fresh.locator("#text")).to_be_focused()


async def test_a_chosen_file_is_looked_at_sent_and_read(page: Page, seven: SamplePhoto) -> None:
    await begin(page)
    await page.locator("#attach").click()
    async with page.expect_file_chooser() as chooser:
        await page.get_by_role("menuitem", name="Photo", exact=True).click()
    file = FilePayload(name="seven.jpg", mimeType="image/jpeg", buffer=seven.jpeg)
    await (await chooser.value).set_files(file)
    async with sending(page):
        await page.locator("#caption").fill("what is this?")
        await page.keyboard.press("Enter")

    await expect_reading(page, "7")
    await expect(page.locator(".message.out").last).to_contain_text("what is this?")
    await expect(page.locator(".message.out .picture img").last).to_have_js_property("complete", value=True)


@pytest.mark.parametrize("way", ["paste", "photos", "documents"])
async def test_a_pasted_or_dropped_picture_is_read(page: Page, seven: SamplePhoto, way: str) -> None:
    await begin(page)
    async with sending(page):
        await page.evaluate(f"([bytes, way]) => ({GIVE_FILE})(bytes, way)", [list(seven.jpeg), way])
        await expect(page.locator("#as-photo")).to_be_checked(checked=way != "documents")
        await page.locator("#outbox").get_by_role("button", name="Send").click()

    kind = ".document" if way == "documents" else ".picture"
    await expect(page.locator(".message.out").last.locator(kind)).to_be_visible()
    await expect_reading(page, "7")


async def test_a_pressed_digit_changes_the_answer_and_says_so(page: Page, seven: SamplePhoto) -> None:
    await begin(page)
    await paste(page, seven)
    await expect_reading(page, "7")
    answer = page.locator(f'[data-id="{await newest_answer(page).get_attribute("data-id")}"]')

    await answer.get_by_role("button", name="1", exact=True).click()

    await expect(answer).to_contain_text("as you say")
    await expect(page.locator("#toasts p")).not_to_have_count(0)


async def test_a_button_pressed_twice_before_it_is_answered_is_pressed_once(
    page: Page, seven: SamplePhoto, bot_at_work: Running
) -> None:
    presses: list[Route] = []
    both_pressed = asyncio.Event()

    async def wait(route: Route) -> None:
        presses.append(route)
        await both_pressed.wait()
        await route.fallback()

    await begin(page)
    await paste(page, seven)
    await expect_reading(page, "7")
    message_id = int(await newest_answer(page).get_attribute("data-id") or 0)
    answer = page.locator(f'[data-id="{message_id}"]')
    one = answer.get_by_role("button", name="1", exact=True)
    await page.route("**/press", wait)
    await one.dblclick()
    await bot_at_work.you.react(message_id, "🔥")  # the message is drawn anew
    await expect(answer.locator(".reactions button")).to_have_count(1)
    await one.dblclick()
    await expect(one).to_have_class(re.compile("waiting"))
    both_pressed.set()

    await expect(answer).to_contain_text("as you say")
    await expect(answer.locator(".waiting")).to_have_count(0)
    assert len(presses) == 1
    await page.unroute("**/press")


async def test_hasty_presses_send_everything_once(fresh: Page, seven: SamplePhoto) -> None:
    async with sending(fresh):
        await fresh.locator("#welcome .strip button").first.dblclick()
    async with sending(fresh):
        await fresh.locator("#text").fill("once")
        await fresh.locator("#send").dblclick()
    async with sending(fresh):
        await fresh.evaluate(f"([bytes, way]) => ({GIVE_FILE})(bytes, way)", [list(seven.jpeg), "paste"])
        await fresh.locator("#outbox .primary").evaluate("(send) => { send.click(); send.click(); }")
    await expect_reading(fresh, "7")
    await expect(fresh.locator(".message.out")).to_have_count(3)
    await clear_history(fresh)
    await expect(fresh.locator(".message")).to_have_count(0)
    async with sending(fresh):
        await fresh.locator("#start").dblclick()

    await expect(newest_answer(fresh)).to_contain_text("Send me a photo")
    await expect(fresh.locator(".message.out")).to_have_count(1)


async def test_a_sample_on_its_way_is_not_sent_again_where_the_welcome_is_drawn_anew(fresh: Page) -> None:
    drawn = asyncio.Event()

    sample = fresh.locator("#welcome .strip button").first
    await fresh.route("**/samples/1/0", after(drawn))
    async with sending(fresh):
        await sample.click()
        async with fresh.expect_response("**/localchat/state"):
            await clear_history(fresh)
        await expect(sample).to_be_disabled()
        drawn.set()


async def test_a_web_app_opened_hastily_opens_once_and_for_nobody_else(page: Page) -> None:
    launched = asyncio.Event()

    await begin(page)
    await say(page, "/draw")
    await page.route("**/launch", after(launched))
    async with page.expect_response("**/launch") as launch:
        await newest_answer(page).locator(".keyboard button", has_text="Draw").dblclick()
        await become(page, "Robin")
        launched.set()
    await (await launch.value).finished()
    await begin(page)

    await expect(page.locator("#panel")).to_be_hidden()
    await page.unroute("**/launch")


async def test_a_reply_corrects_a_photo(page: Page, seven: SamplePhoto) -> None:
    await begin(page)
    await paste(page, seven)
    await expect_reading(page, "7")
    photo = page.locator(".message.out").last
    await photo.hover()
    await photo.get_by_role("button", name="Reply").click()
    await expect(page.locator("#context")).to_contain_text("Photo")

    await say(page, "/correct 1")

    await expect(page.locator(".message.out").last.locator(".quoted")).to_contain_text("Photo")
    await expect(page.locator("#timeline")).to_contain_text("Saved: this is 1.")
    await expect(page.locator(".message.out").last.locator(".reactions")).to_contain_text("✍")


async def test_a_sample_serves_who_has_no_pen_at_hand(page: Page) -> None:
    await begin(page)
    await page.locator("#attach").click()
    await page.get_by_role("menuitem", name="Sample photos").click()
    async with sending(page):
        await page.locator("#samples").get_by_role("button", name="Send sample photo 1", exact=True).click()

    await expect_reading(page, sample_photos(1, 1)[0].digits)


async def test_a_drawing_is_sent_from_the_web_app(page: Page) -> None:
    await begin(page)
    await say(page, "/draw")
    await newest_answer(page).locator(".keyboard button", has_text="Draw").click()
    app = page.frame_locator("#panel iframe")
    await expect(app.locator("body")).to_have_attribute("data-state", "ready")
    board = app.locator("#board")
    box = await board.bounding_box()
    assert box is not None
    for index, (x, y) in enumerate([(0.3, 0.25), (0.7, 0.25), (0.6, 0.45), (0.5, 0.6), (0.45, 0.8)]):
        await page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=8)
        if index == 0:
            await page.mouse.down()
    await page.mouse.up()
    await app.get_by_role("button", name="Send to chat").click()

    await expect_reading(page, "7")


async def test_the_page_serves_people_without_a_mouse(page: Page) -> None:
    await page.get_by_role("radio", name="You").focus()
    await page.keyboard.press("ArrowRight")
    await expect(page.get_by_role("radio", name="Robin")).to_be_focused()
    await expect(page.locator("#status")).to_contain_text("you are Robin")
    await begin(page)
    async with sending(page):
        await page.locator("#text").fill("/")
        await page.keyboard.press("ArrowDown")
        await page.keyboard.press("ArrowDown")
        await page.keyboard.press("Enter")
    await expect(page.locator(".message.out").last).to_contain_text("/help")
    await expect(newest_answer(page)).to_contain_text("Correcting")
    await newest_answer(page).focus()
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("r")
    await expect(page.locator("#context")).to_contain_text("/help")
    await page.keyboard.press("Escape")
    await page.keyboard.press("ArrowUp")
    await expect(page.locator("#context")).to_contain_text("Edit message")


async def test_tab_stops_at_the_newest_message_alone_and_its_label_has_its_words(page: Page) -> None:
    await begin(page)
    await say(page, "/id")
    await expect(newest_answer(page)).to_contain_text("You are")

    await expect(page.locator(".message[tabindex='0']")).to_have_count(1)
    await expect(newest_answer(page)).to_have_attribute("tabindex", "0")
    await expect(newest_answer(page)).to_have_attribute("aria-label", re.compile("digitbot, .+: You are"))


async def history_of(route: Route) -> APIResponse:
    """What the server answers to the page's request for a history."""
    response = await route.fetch(headers={**route.request.headers, "Sec-Fetch-Site": "same-origin"})
    assert response.ok
    return response


async def test_what_is_said_while_the_history_is_on_its_way_is_shown(
    page: Page, bot_at_work: Running
) -> None:
    async def be_slow(route: Route) -> None:
        history = await history_of(route)
        await bot_at_work.you.send("in between")
        await asyncio.sleep(0.5)  # the page hears of it meanwhile
        await route.fulfill(response=history)

    await begin(page)
    await become(page, "Robin")
    await page.route("**/messages", be_slow, times=1)
    await page.get_by_role("radio", name="You").click()

    await expect(page.locator(".message.out").last).to_contain_text("in between")
    await expect(newest_answer(page)).to_be_visible()
    assert await page.locator(".message.out").count() > 1


async def test_before_a_history_is_there_its_chats_can_be_chosen_and_no_others_messages_pressed(
    page: Page,
) -> None:
    shown = asyncio.Event()

    async def wait(route: Route) -> None:
        history = await history_of(route)
        await shown.wait()
        await route.fulfill(response=history)

    await begin(page)
    await page.route("**/messages", wait)
    await page.get_by_role("radio", name="Admin").click()
    await expect(page.get_by_role("radio", name="Admin")).to_be_checked()
    await page.locator("#chats button").first.click()
    await expect(page.locator("#chats [aria-current]")).to_have_count(1)
    await expect(page.locator("#status")).to_contain_text("you are Admin")
    await expect(page.locator(".message")).to_have_count(0)
    await expect(page.locator("#start")).to_be_hidden()
    shown.set()

    await expect(page.locator(".message:visible, #start:visible").first).to_be_visible()
    await page.unroute("**/messages")


async def cut_off(route: Route) -> None:
    """As if the server were gone, for what is sent."""
    await (route.abort() if route.request.method == "POST" else route.fallback())


async def test_what_cannot_be_sent_stays_written(page: Page, seven: SamplePhoto) -> None:
    await begin(page)
    await page.route("**/localchat/chats/**", cut_off)
    await page.locator("#text").fill("not lost")
    await page.keyboard.press("Enter")
    await expect(page.locator("#toasts")).to_contain_text("The bot cannot be reached")
    await expect(page.locator("#text")).to_have_value("not lost")

    await page.evaluate(f"([bytes, way]) => ({GIVE_FILE})(bytes, way)", [list(seven.jpeg), "paste"])
    await page.locator("#caption").fill("a seven")
    await page.locator("#outbox").get_by_role("button", name="Send").click()
    await expect(page.locator("#outbox .previews img")).to_be_visible()
    await expect(page.locator("#caption")).to_have_value("a seven")

    await page.unroute("**/localchat/chats/**")
    async with sending(page):
        await page.locator("#outbox").get_by_role("button", name="Send").click()
    async with sending(page):
        await page.locator("#text").press("Enter")


async def test_a_picture_too_thin_for_a_photo_can_be_sent_as_a_file(page: Page) -> None:
    await begin(page)
    thin = io.BytesIO()
    Image.new("L", (2100, 40), 255).save(thin, "PNG")
    await page.evaluate(f"([bytes, way]) => ({GIVE_FILE})(bytes, way)", [list(thin.getvalue()), "paste"])
    await page.locator("#outbox").get_by_role("button", name="Send").click()
    await expect(page.locator("#toasts p").last).to_contain_text("Send it as a file.")

    async with sending(page):
        await page.locator("#as-photo").uncheck()
        await page.locator("#outbox").get_by_role("button", name="Send").click()

    await expect(page.locator(".message.out").last.locator(".document")).to_be_visible()


async def test_what_a_photo_or_a_command_answers_stays_chosen_where_it_cannot_be_sent(
    page: Page, seven: SamplePhoto
) -> None:
    await begin(page)
    await say(page, "to be answered")
    await page.route("**/localchat/chats/**", cut_off)
    await answer_newest(page)

    await page.evaluate(f"([bytes, way]) => ({GIVE_FILE})(bytes, way)", [list(seven.jpeg), "paste"])
    await page.locator("#outbox").get_by_role("button", name="Send").click()
    await expect(page.locator("#toasts")).to_contain_text("The bot cannot be reached")
    await expect(page.locator("#context")).to_contain_text("to be answered")
    await page.locator("#outbox").get_by_role("button", name="Cancel").click()
    await page.locator("#text").fill("/he")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")

    await expect(page.locator("#text")).to_have_value("/help")
    await expect(page.locator("#context")).to_contain_text("to be answered")
    await page.unroute("**/localchat/chats/**")
    async with sending(page):
        await page.locator("#send").click()
    await expect(page.locator(".message.out").last).to_contain_text("to be answered")


async def test_what_could_not_be_sent_waits_in_the_chat_that_it_is_for(page: Page) -> None:
    await begin(page)
    await say(page, "to be answered")
    left = asyncio.Event()

    async def fail_late(route: Route) -> None:
        if route.request.method == "POST":
            await left.wait()
            await route.abort()
        else:
            await route.fallback()

    await page.route("**/localchat/chats/**", fail_late)
    await answer_newest(page)
    await page.locator("#text").fill("for this chat")
    await page.keyboard.press("Enter")
    await page.locator("#chats button").last.click()
    await expect(page.locator("#title")).to_have_text("Digit club")
    left.set()
    await expect(page.locator("#toasts")).to_contain_text("The bot cannot be reached")

    await expect(page.locator("#text")).to_have_value("")
    await expect(page.locator("#context")).to_be_hidden()
    await page.locator("#chats button").first.click()
    await expect(page.locator(".message.out").last).to_contain_text("to be answered")
    await expect(page.locator("#text")).to_have_value("for this chat")
    await expect(page.locator("#context")).to_contain_text("to be answered")
    await page.unroute("**/localchat/chats/**")
    async with sending(page):
        await page.locator("#send").click()


async def test_what_is_written_and_chosen_stays_with_its_chat(page: Page) -> None:
    await begin(page)
    await say(page, "to be answered")
    await answer_newest(page)
    await page.locator("#text").fill("for this chat")
    await page.locator("#chats button").last.click()
    await expect(page.locator("#title")).to_have_text("Digit club")
    await expect(page.locator("#text")).to_have_value("")
    await expect(page.locator("#context")).to_be_hidden()
    await page.locator("#text").fill("for the club")
    await page.get_by_role("radio", name="Robin").click()
    await expect(page.locator("#text")).to_have_value("")
    await page.get_by_role("radio", name="You").click()
    await expect(page.locator("#text")).to_have_value("for the club")
    await page.locator("#text").fill("")

    await page.locator("#chats button").first.click()
    await expect(page.locator(".message.out").last).to_contain_text("to be answered")
    await expect(page.locator("#text")).to_have_value("for this chat")
    await expect(page.locator("#context")).to_contain_text("to be answered")
    async with sending(page):
        await page.locator("#send").click()
    await expect(page.locator(".message.out").last.locator(".quoted")).to_contain_text("to be answered")


async def test_a_sample_goes_to_the_chat_it_was_chosen_in_however_late_it_comes(
    page: Page, bot_at_work: Running
) -> None:
    left = asyncio.Event()

    await begin(page)
    await page.locator("#attach").click()
    await page.get_by_role("menuitem", name="Sample photos").click()
    first = page.locator("#samples").get_by_role("button", name="Send sample photo 1", exact=True)
    await expect(first.locator("img")).to_have_js_property("complete", value=True)
    await page.route("**/samples/**", after(left))
    async with page.expect_response("**/photos") as sent:
        await first.click()
        await page.locator("#chats button").last.click()
        await expect(page.locator("#title")).to_have_text("Digit club")
        left.set()
    await page.unroute("**/samples/**")
    await page.locator("#chats button").first.click()

    assert f"/chats/{bot_at_work.you.user_id}/" in (await sent.value).url
    await expect(page.locator(".message.out").last.locator(".picture")).to_be_visible()


async def test_a_notice_stands_above_a_dialog(page: Page, seven: SamplePhoto) -> None:
    await begin(page)
    await page.route("**/localchat/chats/**", cut_off)
    await page.evaluate(f"([bytes, way]) => ({GIVE_FILE})(bytes, way)", [list(seven.jpeg), "paste"])
    await page.locator("#outbox").get_by_role("button", name="Send").click()
    notice = page.locator("#toasts p").last
    await expect(notice).to_be_visible()
    await expect(page.locator("#outbox")).to_be_visible()

    box = await notice.bounding_box()
    assert box is not None
    shot = await page.screenshot(clip=box, animations="disabled")

    lightest = np.asarray(Image.open(io.BytesIO(shot)).convert("L")).max()
    assert lightest > 225  # its letters; under a dialog's backdrop they are grey
    assert "The bot cannot be reached: does it run?" in await read_aloud(page)
    await page.unroute("**/localchat/chats/**")
    await page.locator("#outbox").get_by_role("button", name="Cancel").click()
    await expect(page.locator("#chat > #toasts")).to_be_visible()


async def test_a_tab_that_nobody_looks_at_gives_its_line_up_and_catches_up_when_it_is_seen(
    browser: Browser, bot_at_work: Running
) -> None:
    async with opened(browser, bot_at_work, DESKTOP) as page:
        await begin(page)
        async with hidden(page):
            await bot_at_work.you.send("while nobody looked")
            await bot_at_work.admin.answer_to(await bot_at_work.admin.send("/id"))
            await expect(page.locator(".message.out", has_text="while nobody looked")).to_have_count(0)

        await expect(page.locator(".message.out", has_text="while nobody looked")).to_have_count(1)
        await bot_at_work.you.send("while somebody looks")
        await expect(page.locator(".message.out", has_text="while somebody looks")).to_have_count(1)
        await expect(page.get_by_role("radio", name="Admin").locator(".unread")).to_have_text("2")


async def test_a_tab_that_could_not_catch_up_tries_again(browser: Browser, bot_at_work: Running) -> None:
    async with opened(browser, bot_at_work, DESKTOP) as page:
        await begin(page)
        async with hidden(page):
            await bot_at_work.you.send("not yet fetched")
            await page.route("**/messages", lambda route: route.abort(), times=1)
            await page.route("**/state", lambda route: route.abort(), times=1)

        await expect(page.locator(".message.out", has_text="not yet fetched")).to_have_count(1)


async def test_who_reads_older_messages_is_still_there_when_the_tab_is_seen_again(
    browser: Browser, bot_at_work: Running
) -> None:
    for number in range(70):
        await bot_at_work.admin.send(f"message {number}")
    async with opened(browser, bot_at_work, DESKTOP) as page:
        await become(page, "Admin")
        oldest = page.locator(".message[aria-label$=': message 0']")
        await scroll_up(page, until=expect(oldest).to_have_count(1))
        await oldest.scroll_into_view_if_needed()
        place = await oldest.bounding_box()
        async with hidden(page):
            await bot_at_work.admin.send("newest")

        await expect(page.locator(".message[aria-label$=': newest']")).to_have_count(1)
        await expect(page.locator(".message[aria-label*=': message ']")).to_have_count(70)
        assert await oldest.bounding_box() == place


async def test_an_older_answer_that_comes_late_does_not_take_the_commands_away(
    page: Page, bot_at_work: Running
) -> None:
    await begin(page)
    older = (await bot_at_work.client.get("/localchat/state")).json()
    club = next(chat["id"] for chat in older["chats"] if chat["type"] == "group")
    for chat in older["chats"]:
        chat["commands"] = []
    overtaken, late, asked = asyncio.Event(), asyncio.Event(), 0

    async def overtake(route: Route) -> None:
        nonlocal asked
        asked += 1
        if asked > 1:
            await route.continue_()
            overtaken.set()
            return
        await overtaken.wait()
        await page.wait_for_timeout(300)  # the newer one is there
        await route.fulfill(json=older)
        late.set()

    await page.route("**/localchat/state", overtake)
    for _ in range(2):  # each has the page ask for everything anew
        user = {"user_id": bot_at_work.you.user_id}
        await bot_at_work.client.post(f"/localchat/chats/{club}/clear", json=user)
    async with asyncio.timeout(PATIENCE):
        await late.wait()
    await page.wait_for_timeout(300)  # it has been looked at
    await page.unroute("**/localchat/state")

    await page.locator("#text").fill("/he")
    await expect(page.locator("#commands button")).to_have_count(1)
    await page.locator("#text").fill("")


@asynccontextmanager
async def beginning(
    browser: Browser, running: Running, broken: str, fault: Fault, times: int
) -> AsyncIterator[Page]:
    """A visit to the page where this address fails a few times; nothing may go wrong in its scripts."""
    errors: list[str] = []
    context = await browser.new_context(viewport=DESKTOP)
    page = await context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    await page.route(broken, fault, times=times)
    await page.goto(str(running.client.base_url))
    yield page
    await expect(page.locator("#title")).to_have_text("digitbot")
    await context.close()
    assert errors == []


async def test_a_page_that_could_not_begin_offers_only_to_try_again(
    browser: Browser, bot_at_work: Running, seven: SamplePhoto
) -> None:
    def fault(route: Route) -> Awaitable[None]:
        return route.abort()

    async with beginning(browser, bot_at_work, "**/localchat/state", fault, times=2) as page:
        again = page.get_by_role("button", name="Try again")
        await expect(again).to_be_visible()
        await expect(page.locator("#chat button:visible")).to_have_count(1)
        await expect(page.locator("#text")).to_be_hidden()
        await page.evaluate(f"([bytes, way]) => ({GIVE_FILE})(bytes, way)", [list(seven.jpeg), "paste"])
        await expect(page.locator("#outbox")).to_be_hidden()
        async with page.expect_event("requestfailed"):
            await again.click()
        await again.click()


async def test_a_page_whose_line_is_refused_asks_for_it_again(browser: Browser, bot_at_work: Running) -> None:
    def fault(route: Route) -> Awaitable[None]:
        return route.fulfill(status=502)

    async with beginning(browser, bot_at_work, "**/localchat/events", fault, times=1) as page:
        await expect(page.locator("#status")).to_contain_text("waiting for the bot")


async def test_a_sample_that_cannot_be_fetched_is_said(page: Page) -> None:
    await begin(page)
    await page.locator("#attach").click()
    await page.get_by_role("menuitem", name="Sample").click()
    await page.route("**/samples/**", lambda route: route.fulfill(status=503))
    await page.locator("#samples .grid button").first.click()

    await expect(page.locator("#toasts")).to_contain_text("The server answered 503.")
    await page.unroute("**/samples/**")


async def test_a_history_that_cannot_be_fetched_leaves_no_other_chat_and_can_be_tried_again(
    page: Page,
) -> None:
    await begin(page)
    await page.route("**/messages", lambda route: route.abort(), times=1)
    await page.locator("#chats button").last.click()
    await expect(page.locator("#welcome")).to_contain_text("could not be fetched")
    await expect(page.locator("#title")).to_have_text("Digit club")
    await expect(page.locator(".message")).to_have_count(0)

    await page.get_by_role("button", name="Try again").click()

    await expect(page.locator("#welcome")).not_to_contain_text("could not be fetched")
    await expect(page.locator("#title")).to_have_text("Digit club")
    await page.locator("#chats button").first.click()
    await expect(page.locator("#title")).to_have_text("digitbot")


async def test_older_messages_that_could_not_be_fetched_come_when_asked_for_again(
    page: Page, bot_at_work: Running
) -> None:
    await begin(page)
    robin = next(user for user in await page.evaluate(
        "fetch('/localchat/state').then((answer) => answer.json()).then((state) => state.users)"
    ) if user["first_name"] == "Robin")  # fmt: skip
    for number in range(70):
        await Person(bot_at_work.client, robin["id"]).send(f"message {number}")
    await become(page, "Robin")
    await expect(page.locator(".message[aria-label$=': message 69']")).to_be_visible()
    await expect(page.locator(".message[aria-label$=': message 0']")).to_have_count(0)
    await page.route("**/messages?before=*", lambda route: route.abort(), times=1)

    await scroll_up(page, until=page.wait_for_event("requestfailed"))
    await scroll_up(page, until=expect(page.locator(".message[aria-label$=': message 0']")).to_have_count(1))


async def test_a_long_chat_that_is_left_and_come_back_to_has_no_gap(
    browser: Browser, bot_at_work: Running
) -> None:
    left, waits, asked = asyncio.Event(), asyncio.Event(), 0

    async def hold_the_second(route: Route) -> None:
        nonlocal asked
        asked += 1
        if asked == 2:
            waits.set()
            await left.wait()
        await route.continue_()

    def number(page: Page, count: int) -> Locator:
        return page.locator(f".message[aria-label$=': number {count}']")

    for count in range(130):  # the newest 60 are shown, then 60 at a time
        await bot_at_work.admin.send(f"number {count}")
    async with opened(browser, bot_at_work, DESKTOP) as page, asyncio.timeout(2 * PATIENCE):
        await page.route("**/messages?before=*", hold_the_second)
        await become(page, "Admin")
        await expect(number(page, 129)).to_have_count(1)
        await scroll_up(page, until=waits.wait())
        for name in "You", "Admin":
            await become(page, name)
            await expect(number(page, 129)).to_have_count(1 if name == "Admin" else 0)
        left.set()

        await scroll_up(page, until=expect(number(page, 0)).to_have_count(1))

        await expect(page.locator(".message[aria-label*=': number ']")).to_have_count(130)
        await expect(page.locator("#toasts")).to_be_empty()  # nothing was asked for in vain


async def test_what_came_while_a_history_was_on_its_way_is_not_lost_where_another_is_chosen(
    page: Page, bot_at_work: Running
) -> None:
    chosen = asyncio.Event()

    await begin(page)
    await page.route("**/messages", after(chosen), times=1)
    await page.get_by_role("radio", name="Robin").click()
    await bot_at_work.admin.send("meanwhile")
    await page.wait_for_timeout(300)  # the page hears of it
    await become(page, "You")
    chosen.set()

    await expect(page.get_by_role("radio", name="Admin").locator(".unread")).to_be_visible()


async def test_a_shortcut_of_the_browser_answers_no_message(page: Page) -> None:
    await begin(page)
    await say(page, "not to be answered")
    await page.locator(".message.out").last.focus()

    await page.keyboard.press("Control+r")

    await expect(page.locator("#context")).to_be_hidden()


async def test_skipping_to_the_message_field_changes_nobody(page: Page) -> None:
    await become(page, "Admin")
    await begin(page)
    await page.locator(".skip").focus()
    await page.keyboard.press("Enter")

    await expect(page.locator("#text")).to_be_focused()
    assert page.url.endswith("#admin")


async def test_the_focus_stays_on_its_chat_when_a_message_arrives(page: Page, bot_at_work: Running) -> None:
    await begin(page)
    club = page.locator("#chats button").last
    await club.focus()
    await bot_at_work.you.send("something new")
    await expect(page.locator(".message.out").last).to_contain_text("something new")

    await expect(club).to_be_focused()


async def test_on_a_phone_one_thing_is_seen_at_a_time(browser: Browser, bot_at_work: Running) -> None:
    async with opened(browser, bot_at_work, PHONE, has_touch=True, is_mobile=True) as page:
        await begin(page)
        width = await page.evaluate("document.documentElement.scrollWidth")
        assert width == PHONE["width"]
        await expect(page.locator("#sidebar")).to_be_hidden()
        await page.locator("#back").tap()
        await page.get_by_role("radio", name="Admin").tap()
        await page.locator("#chats button").first.tap()
        await expect(page.locator("#sidebar")).to_be_hidden()
        await expect(page.locator("#status")).to_contain_text("Admin")


async def test_nothing_is_asked_of_other_machines(browser: Browser, bot_at_work: Running) -> None:
    asked: list[str] = []
    async with opened(browser, bot_at_work, DESKTOP) as page:
        page.on("request", lambda request: asked.append(request.url))
        await page.reload()
        await expect(page.locator("#title")).to_have_text("digitbot")

    own = str(bot_at_work.client.base_url)
    assert asked
    assert [url for url in asked if not url.startswith((own, "blob:", "data:"))] == []


async def test_the_admin_sees_more_commands_and_may_retrain(page: Page) -> None:
    await become(page, "Admin")
    await begin(page)
    async with sending(page):
        await page.locator("#text").fill("/ret")
        await expect(page.locator("#commands button")).to_have_count(1)
        await page.keyboard.press("ArrowDown")
        await page.keyboard.press("Enter")

    await expect(page.locator(".message.out").last).to_contain_text("/retrain")
    await expect(newest_answer(page)).to_contain_text("no corrections that may train")
    await become(page, "You")
    await begin(page)
    await page.locator("#text").fill("/ret")
    await expect(page.locator("#commands")).to_be_hidden()
    await page.locator("#text").fill("")
