"""Presses that come late or at the same time, and albums whose pictures do not come evenly."""

import asyncio
from datetime import timedelta
from pathlib import Path

from sqlalchemy import text
from starlette.responses import JSONResponse, Response

from bot.app import Core
from tests.bot.conftest import button
from tests.bot.localchat.conftest import serving
from tests.bot.person import says
from tests.bot.test_bad_networks import Call, connected

Photos = dict[str, bytes]

LONG_AGO = timedelta(seconds=20)
"""Telegram takes no answer to a press that is as old."""


def _digit(photos: Photos) -> str:
    return next(digits for digits in photos if len(digits) == 1)


async def _count(core: Core, table: str) -> int:
    async with core.database.reading() as session:
        return int(await session.scalar(text(f"SELECT count(*) FROM {table}")) or 0)


async def test_a_press_from_when_the_bot_was_away_is_shown_as_any_other(
    tmp_path: Path, photos: Photos
) -> None:
    digit = _digit(photos)
    async with serving(tmp_path) as telegram:
        you = telegram.person()
        async with connected(tmp_path, telegram):
            answer = await you.answer_to(await you.send_photo(photos[digit]))
        other = "3" if digit != "3" else "4"
        await you.press(answer["message_id"], button(answer, other))
        telegram.clock.move(LONG_AGO)

        async with connected(tmp_path, telegram):
            await you.see(says(f"{other}   as you say. (I had read {digit}.)"))
            await you.see(says("May I learn from your corrections?"))


async def test_forgetting_that_was_asked_for_when_the_bot_was_away_is_confirmed(
    tmp_path: Path, photos: Photos
) -> None:
    async with serving(tmp_path) as telegram:
        you = telegram.person()
        async with connected(tmp_path, telegram):
            await you.answer_to(await you.send_photo(photos[_digit(photos)]))
            question = await you.answer_to(await you.send("/forget_me"))
        await you.press(question["message_id"], f"forget:yes:{you.user_id}")
        telegram.clock.move(LONG_AGO)

        async with connected(tmp_path, telegram) as core:
            await you.see(says("I have forgotten you"))
            assert await _count(core, "contributors") == 0


async def test_a_button_that_is_no_longer_valid_is_refused_in_the_chat_where_a_toast_is_too_late(
    tmp_path: Path, photos: Photos
) -> None:
    async with serving(tmp_path) as telegram:
        you = telegram.person()
        async with connected(tmp_path, telegram) as core:
            answer = await you.answer_to(await you.send_photo(photos[_digit(photos)]))
            async with core.database.transaction() as session:
                await session.execute(text("DELETE FROM predictions"))
        await you.press(answer["message_id"], button(answer, "3"))
        telegram.clock.move(LONG_AGO)

        async with connected(tmp_path, telegram):
            await you.see(says("This button is too old"))


async def test_of_two_quick_presses_the_answer_shows_the_one_that_counts_and_consent_is_asked_once(
    tmp_path: Path, photos: Photos
) -> None:
    may_answer, is_first = asyncio.Event(), True

    async def first_is_slow(name: str, call: Call) -> Response:
        nonlocal is_first
        if name == "answerCallbackQuery" and is_first:
            is_first = False
            await may_answer.wait()
        return await call()

    async with (
        serving(tmp_path, interceptor=first_is_slow) as telegram,
        connected(tmp_path, telegram) as core,
    ):
        you, digit = telegram.person(), _digit(photos)
        answer = await you.answer_to(await you.send_photo(photos[digit]))
        first, second = [other for other in "3456" if other != digit][:2]
        await you.press(answer["message_id"], button(answer, first))
        while await _count(core, "corrections") == 0:
            await asyncio.sleep(0.02)
        await you.press(answer["message_id"], button(answer, second))
        await you.see(says("May I learn"))
        may_answer.set()
        await you.answer_to(await you.send("/id"))
        await asyncio.sleep(0.5)  # what the first press still does

        shown = [seen["message"]["text"] for seen in await you.history() if seen["message"]["from"]["is_bot"]]
        assert shown[0].startswith(f"{second}   as you say.")
        assert sum("May I learn" in each for each in shown) == 1


async def test_an_album_whose_answer_is_refused_is_over_all_the_same(tmp_path: Path, photos: Photos) -> None:
    async def muted(name: str, call: Call) -> Response:
        if name == "sendMessage":
            refusal = "Bad Request: not enough rights to send text messages to the chat"
            return JSONResponse({"ok": False, "error_code": 400, "description": refusal}, status_code=400)
        return await call()

    async with serving(tmp_path, interceptor=muted) as telegram, connected(tmp_path, telegram) as core:
        await telegram.person().send_photo(*[photos[_digit(photos)]] * 3)

        async with asyncio.timeout(30):
            while await _count(core, "inbox WHERE state = 'done'") < 3:
                await asyncio.sleep(0.05)


async def test_an_album_is_answered_once_also_where_a_picture_takes_long(
    tmp_path: Path, photos: Photos
) -> None:
    downloads = 0

    async def third_is_slow(name: str, call: Call) -> Response:
        nonlocal downloads
        downloads += name == "download"
        if name == "download" and downloads == 3:
            await asyncio.sleep(2.5)
        return await call()

    async with serving(tmp_path, interceptor=third_is_slow) as telegram, connected(tmp_path, telegram):
        you = telegram.person()
        answer = await you.answer_to(await you.send_photo(*[photos[_digit(photos)]] * 4))

        assert [line.partition(".")[0] for line in answer["text"].splitlines()[:4]] == ["1", "2", "3", "4"]
