"""A photo in, the digit back; and a clear answer to everything that cannot be read."""

import io
from pathlib import Path

from PIL import Image
from sqlalchemy import text

from bot.config import Limits
from tests.bot.conftest import Running, button, config_in, running_in
from tests.bot.person import Person, says

Photos = dict[str, bytes]


async def test_a_photo_is_answered_with_its_digit_bars_and_a_keypad(you: Person, photos: Photos) -> None:
    digit = next(digits for digits in photos if len(digits) == 1)
    sent = await you.send_photo(photos[digit])

    answer = await you.answer_to(sent)

    assert answer["text"].startswith(f"{digit}   ")
    assert answer["text"].count("%") == 4
    assert answer["reply_to_message"]["message_id"] == sent["message_id"]
    rows = answer["reply_markup"]["inline_keyboard"]
    assert [[one["text"] for one in row] for row in rows] == [
        list("01234"),
        list("56789"),
        ["Not a digit", "What I saw"],
    ]
    assert [one["text"] for row in rows for one in row if one.get("style") == "success"] == [digit]
    await you.see(lambda seen: seen["message"]["message_id"] == sent["message_id"] and seen["reactions"])


async def test_a_number_is_read_and_asks_for_correct_instead_of_a_keypad(you: Person, photos: Photos) -> None:
    number = next(digits for digits in photos if len(digits) > 1)

    answer = await you.answer_to(await you.send_photo(photos[number]))

    assert answer["text"].startswith(f"{number}   ")
    assert f"/correct {number}" in answer["text"]
    assert len(answer["reply_markup"]["inline_keyboard"]) == 1


async def test_an_image_sent_as_a_file_is_read_whatever_its_name_and_type_say(
    you: Person, photos: Photos
) -> None:
    digit = next(digits for digits in photos if len(digits) == 1)

    for name in "digit.jpg", "report.pdf", "noname":
        answer = await you.answer_to(await you.send_file(photos[digit], name))
        assert answer["text"].startswith(f"{digit}   ")


async def test_an_album_gets_one_answer_that_lists_its_pictures(you: Person, photos: Photos) -> None:
    shown = list(photos)[:3]
    sent = await you.send_photo(*(photos[digits] for digits in shown))

    answer = await you.answer_to(sent)

    lines = answer["text"].splitlines()
    assert [line.split("   ")[0] for line in lines[:3]] == [
        f"{number}. {digits}" for number, digits in enumerate(shown, start=1)
    ]
    corrected = await you.send("/correct 3", reply_to=sent["message_id"])
    assert (await you.answer_to(corrected))["text"].startswith("Saved: this is 3.")


async def test_what_cannot_be_read_gets_a_clear_answer(you: Person) -> None:
    blank = io.BytesIO()
    Image.new("RGB", (400, 400), "white").save(blank, "PNG")
    for data, reply in (
        (b"%PDF-1.7 no picture at all", "This is no picture that I can read"),
        (b"\0", "This is no picture that I can read"),
        (blank.getvalue(), "I found no ink in this picture"),
    ):
        answer = await you.answer_to(await you.send_file(data, "digit.png"))
        assert answer["text"].startswith(reply)


async def test_a_file_that_is_too_large_is_refused_without_a_download(tmp_path: Path, photos: Photos) -> None:
    config = config_in(tmp_path, limits=Limits(decoder_processes=1, photo_bytes=1 << 20))
    async with running_in(config) as running:
        answer = await running.you.answer_to(await running.you.send_file(bytes((1 << 20) + 1), "digit.png"))

    assert answer["text"] == "That file is too large: I can read up to 1 MB."


async def test_more_photos_than_allowed_are_refused_kindly_and_once(tmp_path: Path, photos: Photos) -> None:
    config = config_in(tmp_path, limits=Limits(decoder_processes=1, photos_per_minute=1, photo_burst=1))
    digit = next(iter(photos))
    async with running_in(config) as running:
        for _ in range(3):
            await running.you.send_photo(photos[digit])
        await running.you.send("/id")
        await running.you.see(lambda seen: seen["message"].get("text", "").startswith("You are "))
        answers = [one["message"].get("text", "") for one in await running.you.history()]

    refusals = [one for one in answers if one.startswith("That is faster than I can read. Please wait ")]
    assert len(refusals) == 1
    assert [one for one in answers if one.startswith(f"{digit}   ")]


async def test_what_i_saw_is_a_picture_of_the_ink(you: Person, photos: Photos) -> None:
    sent = await you.send_photo(photos[next(iter(photos))])
    answer = await you.answer_to(sent)

    await you.press(answer["message_id"], button(answer, "What I saw"))
    picture = await you.see(lambda seen: seen["message"]["message_id"] > answer["message_id"])
    why = await you.answer_to(await you.send("/why", reply_to=sent["message_id"]))

    assert picture["message"]["photo"]
    assert why["photo"]


async def test_what_i_saw_counts_as_a_photo_that_is_read(tmp_path: Path, photos: Photos) -> None:
    config = config_in(tmp_path, limits=Limits(decoder_processes=1, photos_per_minute=1, photo_burst=2))
    async with running_in(config) as running:
        answer = await running.you.answer_to(await running.you.send_photo(photos[next(iter(photos))]))
        await running.you.press(answer["message_id"], button(answer, "What I saw"))
        await running.you.see(lambda seen: seen["message"].get("photo") and seen["message"]["from"]["is_bot"])
        await running.you.press(answer["message_id"], button(answer, "What I saw"))
        await running.you.see(says("That is faster than I can read."))


async def test_nothing_of_a_photo_is_kept_but_encrypted_glyphs(
    running: Running, you: Person, photos: Photos
) -> None:
    await you.answer_to(await you.send_photo(photos[next(iter(photos))], caption="my secret"))

    path = running.core.database.path
    assert path is not None
    everything = b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))
    assert b"my secret" not in everything
    assert b"\xff\xd8\xff" not in everything  # no JPEG
    async with running.core.database.reading() as session:
        sealed = list(await session.scalars(text("SELECT token FROM glyphs")))
    glyphs = [running.core.keyring.decrypt(token) for token in sealed]
    assert [len(pixels) for pixels in glyphs] == [784]
    assert glyphs[0] not in everything
