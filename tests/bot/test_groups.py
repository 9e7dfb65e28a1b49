"""In groups: addressed or silent, and a photo is its sender's."""

import asyncio

import pytest
from sqlalchemy import text

from bot.context import mentions
from tests.bot.conftest import Running, button, toast
from tests.bot.person import Json, Person

Photos = dict[str, bytes]


@pytest.fixture
async def group(running: Running) -> int:
    state = (await running.client.get("/localchat/state")).json()
    found: int = next(chat["id"] for chat in state["chats"] if chat["type"] == "group")
    return found


async def read_in(group: int, person: Person, photo: bytes) -> tuple[Json, Json]:
    """A photo that mentions the bot, and the answer to it."""
    sent = await person.send_photo(photo, caption="@local_digit_bot please", chat_id=group)
    return sent, await person.answer_to(sent, chat_id=group)


async def said_in(running: Running) -> list[tuple[str, bool]]:
    async with running.core.database.reading() as session:
        rows = await session.execute(text("SELECT digits, by_admin FROM corrections WHERE is_current"))
        return [(row.digits, bool(row.by_admin)) for row in rows]


async def test_a_photo_that_mentions_the_bot_is_answered_and_its_sender_may_correct_it(
    running: Running, you: Person, group: int, photos: Photos
) -> None:
    digit = next(digits for digits in photos if len(digits) == 1)
    sent, answer = await read_in(group, you, photos[digit])
    assert answer["text"].startswith(f"{digit}   ")

    command = await you.send("/correct@local_digit_bot 3", reply_to=sent["message_id"], chat_id=group)
    await you.answer_to(command, chat_id=group)

    assert await said_in(running) == [("3", False)]


async def test_only_the_sender_or_an_administrator_corrects_and_the_administrators_word_wins(
    running: Running, you: Person, admin: Person, group: int, photos: Photos
) -> None:
    digit = next(digits for digits in photos if len(digits) == 1)
    _, of_admin = await read_in(group, admin, photos[digit])
    refusal = await toast(you, of_admin["message_id"], "fix:1:3", chat_id=group)
    assert refusal.startswith("Only the person whose photo it is")
    refused = await you.send("/correct 3", reply_to=of_admin["message_id"], chat_id=group)
    assert (await you.answer_to(refused, chat_id=group))["text"].startswith("Only the person")
    assert await said_in(running) == []

    _, of_you = await read_in(group, you, photos[digit])
    await toast(admin, of_you["message_id"], "fix:2:5", chat_id=group)
    assert await said_in(running) == [("5", True)]


async def test_read_answers_for_somebody_elses_photo_and_keeps_no_glyph(
    running: Running, you: Person, admin: Person, group: int, photos: Photos
) -> None:
    digit = next(digits for digits in photos if len(digits) == 1)
    sent = await admin.send_photo(photos[digit], chat_id=group)

    command = await you.send("/read@local_digit_bot", reply_to=sent["message_id"], chat_id=group)

    assert (await you.answer_to(command, chat_id=group))["text"].startswith(f"{digit}   ")
    again = await you.send("/read@local_digit_bot", reply_to=sent["message_id"], chat_id=group)
    assert (await you.answer_to(again, chat_id=group))["text"].startswith(f"{digit}   ")
    async with running.core.database.reading() as session:
        assert list(await session.scalars(text("SELECT token FROM glyphs"))) == [None]


async def test_what_is_not_meant_for_the_bot_gets_no_answer(you: Person, group: int, photos: Photos) -> None:
    digit = next(digits for digits in photos if len(digits) == 1)
    await you.send_photo(photos[digit], chat_id=group)
    await you.send("hello everybody", chat_id=group)
    await you.send("/nonsense", chat_id=group)
    await you.send("/help@some_other_bot", chat_id=group)
    await asyncio.sleep(0.5)
    await you.answer_to(await you.send("/help", chat_id=group), chat_id=group)

    spoken = [seen for seen in await you.history(chat_id=group) if seen["message"]["from"]["is_bot"]]
    assert len(spoken) == 1


async def test_a_photo_is_its_senders_also_where_somebody_else_had_it_read_first(
    running: Running, you: Person, admin: Person, group: int, photos: Photos
) -> None:
    digit = next(digits for digits in photos if len(digits) == 1)
    sent = await you.send_photo(photos[digit], chat_id=group)
    by_admin = await admin.send("/read@local_digit_bot", reply_to=sent["message_id"], chat_id=group)
    await admin.answer_to(by_admin, chat_id=group)

    by_you = await you.send("/read@local_digit_bot", reply_to=sent["message_id"], chat_id=group)
    answer = await you.answer_to(by_you, chat_id=group)
    await toast(you, answer["message_id"], button(answer, "3"), chat_id=group)

    assert await said_in(running) == [("3", False)]


@pytest.mark.parametrize(
    ("said", "is_meant"),
    [
        ("@digit_bot what is this?", True),
        ("what is this, @DIGIT_BOT?", True),
        ("@digit_bot2 what is this?", False),
        ("write to me@digit_bot", False),
        ("digit_bot", False),
    ],
)
def test_a_mention_is_of_the_whole_name(said: str, is_meant: bool) -> None:
    assert mentions(said, "digit_bot") == is_meant


async def test_start_in_a_group_has_no_button_that_telegram_allows_in_private_only(
    you: Person, group: int
) -> None:
    in_group = await you.answer_to(await you.send("/start", chat_id=group), chat_id=group)
    in_private = await you.answer_to(await you.send("/start"))

    assert "web_app" in str(in_private["reply_markup"])
    assert "web_app" not in str(in_group["reply_markup"])


async def test_what_is_asked_of_one_person_cannot_be_answered_by_another(
    running: Running, you: Person, admin: Person, group: int
) -> None:
    command = await you.send("/forget_me", chat_id=group)
    question = await you.answer_to(command, chat_id=group)

    refusal = await toast(admin, question["message_id"], f"forget:yes:{you.user_id}", chat_id=group)

    assert refusal == "That button is for somebody else."
