"""A photo that is put in the place of another one supersedes its reading; another caption changes nothing."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text
from starlette.responses import Response

from bot import messenger
from bot.localchat import updates
from tests.bot.localchat.conftest import Served, serving
from tests.bot.person import Json
from tests.bot.test_bad_networks import Call, connected

Photos = dict[str, bytes]


async def put_in_place(telegram: Served, sent: Json, other: Json) -> None:
    """Edit a message so that it shows the photo of another one."""
    async with telegram.chat.state.transaction() as transaction:
        edited = {**sent, "photo": other["photo"], "edit_date": transaction.now}
        await updates.put(transaction, "edited_message", edited)


def reads(answer: Json, digit: str) -> Callable[[Json], bool]:
    """Whether something in the chat is this answer, and reads this digit."""
    return lambda seen: (
        seen["message"]["message_id"] == answer["message_id"]
        and seen["message"]["text"].startswith(f"{digit}   ")
    )


async def test_another_caption_changes_nothing_and_another_photo_is_read_anew(
    tmp_path: Path, photos: Photos
) -> None:
    first, second = [digits for digits in photos if len(digits) == 1][:2]
    async with serving(tmp_path) as telegram, connected(tmp_path, telegram) as core:
        you = telegram.person()
        sent = await you.send_photo(photos[first])
        answer = await you.answer_to(sent)
        await you.edit(sent["message_id"], "another caption")
        other = await you.send_photo(photos[second])
        await you.answer_to(other)

        await put_in_place(telegram, sent, other)
        await you.see(reads(answer, second))

        assert len([seen for seen in await you.history() if seen["message"]["from"]["is_bot"]]) == 2
        async with core.database.reading() as session:
            rows = await session.execute(text("SELECT digits, is_superseded FROM predictions ORDER BY id"))
            assert [(row.digits, bool(row.is_superseded)) for row in rows] == [
                (first, True),
                (second, False),
                (second, False),
            ]


async def test_another_photo_that_could_not_be_shown_before_the_bot_ended_is_shown_by_the_next(
    tmp_path: Path, photos: Photos, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = [digits for digits in photos if len(digits) == 1][:2]
    tried, is_away = asyncio.Event(), True

    async def be_away(name: str, call: Call) -> Response:
        if name == "editMessageText" and is_away:
            tried.set()
            return Response("{}", status_code=502)
        return await call()

    monkeypatch.setattr(messenger, "GRACE", 0.1)  # it is tried again and again meanwhile
    async with serving(tmp_path, interceptor=be_away) as telegram:
        you = telegram.person()
        async with connected(tmp_path, telegram):
            sent = await you.send_photo(photos[first])
            answer = await you.answer_to(sent)
            other = await you.send_photo(photos[second])
            await you.answer_to(other)
            await put_in_place(telegram, sent, other)
            await tried.wait()
        is_away = False
        async with connected(tmp_path, telegram):
            await you.see(reads(answer, second))

        assert len([seen for seen in await you.history() if seen["message"]["from"]["is_bot"]]) == 2
