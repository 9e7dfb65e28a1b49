"""The Bot API as a bot of python-telegram-bot meets it."""

import asyncio
import io

import pytest
from PIL import Image
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, ReplyParameters
from telegram.error import BadRequest, Conflict, Forbidden, InvalidToken

from tests.bot.localchat.conftest import Served
from tests.bot.person import Person


def jpeg(width: int = 1600, height: int = 1200) -> bytes:
    buffer = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).save(buffer, "JPEG")
    return buffer.getvalue()


async def test_a_bot_meets_itself(served: Served, bot: Bot) -> None:
    me = await bot.get_me()

    assert (me.id, me.is_bot) == (served.chat.identity.bot_id, True)


async def test_a_wrong_token_is_nobodys(served: Served) -> None:
    bot = served.bot("1:wrong")

    with pytest.raises(InvalidToken):
        await bot.initialize()
    await bot.shutdown()


async def test_what_a_person_sends_comes_as_an_update_until_it_is_confirmed(bot: Bot, you: Person) -> None:
    await you.send("/correct 7")

    (update,) = await bot.get_updates()
    again = await bot.get_updates()
    after = await bot.get_updates(offset=update.update_id + 1)

    assert update.message is not None
    assert update.message.text == "/correct 7"
    assert update.message.parse_entities() == {update.message.entities[0]: "/correct"}
    assert [one.update_id for one in again] == [update.update_id]
    assert after == ()


async def test_a_poll_waits_for_news(served: Served, bot: Bot, you: Person) -> None:
    poll = asyncio.create_task(bot.get_updates(timeout=50))
    await served.polled()
    await you.send("hello")

    (update,) = await poll  # without the news it would end empty, when its time is over

    assert update.message is not None


async def test_the_older_of_two_polls_gets_the_conflict(served: Served, bot: Bot, you: Person) -> None:
    async with served.bot() as second:
        older = asyncio.create_task(bot.get_updates(timeout=10))
        await served.polled()
        newer = asyncio.create_task(second.get_updates(timeout=10))

        with pytest.raises(Conflict, match="terminated by other getUpdates request"):
            await older
        await you.send("hello")
        assert len(await newer) == 1


async def test_a_photo_comes_in_telegrams_sizes_and_can_be_downloaded(bot: Bot, you: Person) -> None:
    await you.send_photo(jpeg(1600, 1200), caption="a seven")

    (update,) = await bot.get_updates()

    assert update.message is not None
    sizes = [(size.width, size.height) for size in update.message.photo]
    assert sizes == [(90, 68), (320, 240), (800, 600), (1280, 960)]
    assert update.message.caption == "a seven"
    data = await (await update.message.photo[-1].get_file()).download_as_bytearray()
    assert len(data) == update.message.photo[-1].file_size
    assert Image.open(io.BytesIO(data)).size == (1280, 960)


async def test_an_answer_keeps_its_reply_keyboard_and_formatting(bot: Bot, you: Person) -> None:
    sent = await you.send("hi")
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("7", callback_data="fix:1:7", style="success")]])

    message = await bot.send_message(
        you.user_id,
        "It is a <b>7</b> &amp; 😀 <i>sure</i>",
        parse_mode="HTML",
        reply_markup=keyboard,
        reply_parameters=ReplyParameters(sent["message_id"]),
    )

    assert message.text == "It is a 7 & 😀 sure"
    assert list(message.parse_entities().values()) == ["7", "sure"]
    assert message.reply_to_message is not None
    assert message.reply_to_message.text == "hi"
    assert message.reply_markup == keyboard


async def test_a_pressed_button_is_answered_once(bot: Bot, you: Person) -> None:
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("7", callback_data="fix:1:7")]])
    message = await bot.send_message(you.user_id, "which?", reply_markup=keyboard)
    await you.press(message.message_id, "fix:1:7")

    (update,) = await bot.get_updates()

    assert update.callback_query is not None
    assert update.callback_query.data == "fix:1:7"
    assert await update.callback_query.answer("thanks")
    with pytest.raises(BadRequest, match="too old and response timeout expired"):
        await update.callback_query.answer("again")


async def test_who_blocks_the_bot_gets_nothing(bot: Bot, you: Person) -> None:
    await you.block()

    with pytest.raises(Forbidden, match="bot was blocked by the user"):
        await bot.send_message(you.user_id, "hello?")
