"""Corrections: by command, by button, by a number in reply; taken back; refused where they make no sense."""

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import text

from tests.bot.conftest import Running, button, config_in, running_in, toast
from tests.bot.person import Json, Person

Photos = dict[str, bytes]


def one_digit(photos: Photos) -> str:
    return next(digits for digits in photos if len(digits) == 1)


def a_number(photos: Photos) -> str:
    return next(digits for digits in photos if len(digits) > 1)


async def read(person: Person, photo: bytes) -> tuple[Json, Json]:
    """Send a photo; the photo's message and the answer's."""
    sent = await person.send_photo(photo)
    return sent, await person.answer_to(sent)


async def said_in(running: Running) -> list[str]:
    """What the current corrections say, from a fresh session."""
    async with running.core.database.reading() as session:
        return list(
            await session.scalars(text("SELECT digits FROM corrections WHERE is_current ORDER BY id"))
        )


def shows(message_id: int, start: str) -> Callable[[Json], bool]:
    return lambda seen: (
        seen["message"]["message_id"] == message_id and seen["message"]["text"].startswith(start)
    )


async def test_correct_in_reply_to_the_photo_is_stored_acknowledged_and_shown_in_the_answer(
    running: Running, you: Person, photos: Photos
) -> None:
    photo, answer = await read(you, photos[one_digit(photos)])

    command = await you.send("/correct 3", reply_to=photo["message_id"])

    assert (await you.answer_to(command))["text"] == "Saved: this is 3."
    assert await said_in(running) == ["3"]
    await you.see(shows(answer["message_id"], "3   as you say."))
    await you.see(lambda seen: seen["message"] == command and seen["reactions"])


async def test_a_correction_is_there_after_a_restart(tmp_path: Path, photos: Photos) -> None:
    async with running_in(config_in(tmp_path)) as first:
        photo, _ = await read(first.you, photos[one_digit(photos)])
        await first.you.answer_to(await first.you.send("/correct 3", reply_to=photo["message_id"]))

    async with running_in(config_in(tmp_path)) as second:
        assert await said_in(second) == ["3"]


async def test_correct_in_reply_to_the_answer_is_the_same(
    running: Running, you: Person, photos: Photos
) -> None:
    _, answer = await read(you, photos[one_digit(photos)])

    await you.answer_to(await you.send("/correct 3", reply_to=answer["message_id"]))

    assert await said_in(running) == ["3"]


async def test_correct_without_a_reply_takes_the_last_photo_and_says_which(
    running: Running, you: Person, photos: Photos
) -> None:
    digit = one_digit(photos)
    await read(you, photos[digit])

    receipt = await you.answer_to(await you.send("/correct 3"))

    assert receipt["text"] == f"Saved: this is 3. (Your last photo here, which I read as {digit}.)"


async def test_a_number_in_reply_corrects_too(running: Running, you: Person, photos: Photos) -> None:
    _, answer = await read(you, photos[one_digit(photos)])

    await you.answer_to(await you.send("3", reply_to=answer["message_id"]))

    assert await said_in(running) == ["3"]


async def test_correct_407_labels_every_digit_of_a_number(
    running: Running, you: Person, photos: Photos
) -> None:
    photo, _ = await read(you, photos[a_number(photos)])

    await you.answer_to(await you.send("/correct 4 0 7", reply_to=photo["message_id"]))

    async with running.core.database.reading() as session:
        assert list(await session.execute(text("SELECT digits, labels_glyphs FROM corrections"))) == [
            ("407", 1)
        ]


async def test_another_number_of_digits_is_kept_as_a_note_and_said_to_train_nothing(
    running: Running, you: Person, photos: Photos
) -> None:
    photo, _ = await read(you, photos[one_digit(photos)])

    receipt = await you.answer_to(await you.send("/correct 12", reply_to=photo["message_id"]))

    assert receipt["text"].startswith("I found 1 digit there, so I keep “12” as a note")
    async with running.core.database.reading() as session:
        assert list(await session.execute(text("SELECT digits, labels_glyphs FROM corrections"))) == [
            ("12", 0)
        ]


async def test_a_note_does_not_take_the_place_of_a_correction(
    running: Running, you: Person, photos: Photos
) -> None:
    digit = one_digit(photos)
    photo, answer = await read(you, photos[digit])
    await you.answer_to(await you.send("/correct 3", reply_to=photo["message_id"]))

    await you.send("/correct 12", reply_to=photo["message_id"])
    await you.see(lambda seen: seen["message"].get("text", "").endswith("with 1 digit. “3” counts."))
    assert await said_in(running) == ["3"]

    undone = await you.answer_to(await you.send("/undo"))
    assert undone["text"] == "Taken back: “12”. “3” counts."
    assert await said_in(running) == ["3"]
    assert any(shows(answer["message_id"], "3   as you say.")(seen) for seen in await you.history())

    assert (await you.answer_to(await you.send("/undo")))["text"] == "Taken back: “3”."
    await you.see(shows(answer["message_id"], f"{digit}   "))


async def test_undo_shows_what_was_said_before(running: Running, you: Person, photos: Photos) -> None:
    _, answer = await read(you, photos[one_digit(photos)])
    for digit in "3", "5":
        await you.press(answer["message_id"], f"fix:1:{digit}")
        await you.see(shows(answer["message_id"], f"{digit}   as you say."))

    assert await toast(you, answer["message_id"], "undo:1") == "Taken back: “5”. “3” counts."
    await you.see(shows(answer["message_id"], "3   as you say."))
    assert await said_in(running) == ["3"]


async def test_a_correction_that_makes_no_sense_gets_a_clear_answer(you: Person) -> None:
    for command, reply in (
        ("/correct", "Say which digit it is: /correct 7"),
        ("/correct x", "“x” is no number."),
        ("/correct ٧", "“٧” is no number."),
        ("/correct <b>", "“<b>” is no number."),
        (f"/correct {'7' * 300}", f"“{'7' * 64}” is no number."),
        ("/correct 7", "I have read nothing of yours here yet."),
        ("/undo", "There is no correction of yours to take back."),
    ):
        assert (await you.answer_to(await you.send(command)))["text"].startswith(reply)


async def test_a_reply_to_something_else_is_no_correction(
    running: Running, you: Person, photos: Photos
) -> None:
    await read(you, photos[one_digit(photos)])
    chatter = await you.send("hello")
    await you.answer_to(chatter)

    refusal = await you.answer_to(await you.send("/correct 7", reply_to=chatter["message_id"]))

    assert refusal["text"].startswith("That message is no photo that I read.")
    assert await said_in(running) == []


async def test_a_press_on_the_keypad_is_stored_and_shown_and_undo_restores_the_answer(
    running: Running, you: Person, photos: Photos
) -> None:
    digit = one_digit(photos)
    _, answer = await read(you, photos[digit])

    await you.press(answer["message_id"], "fix:1:3")
    corrected = await you.see(shows(answer["message_id"], "3   as you say."))
    assert await said_in(running) == ["3"]

    await you.press(answer["message_id"], button(corrected["message"], "Undo"))
    restored = await you.see(shows(answer["message_id"], f"{digit}   "))
    assert await said_in(running) == []
    assert button(restored["message"], "3") == "fix:1:3"


async def test_the_last_of_several_presses_counts_and_the_others_stay_as_history(
    running: Running, you: Person, photos: Photos
) -> None:
    _, answer = await read(you, photos[one_digit(photos)])

    for digit in "3", "3", "5":
        await you.press(answer["message_id"], f"fix:1:{digit}")
    await you.see(shows(answer["message_id"], "5   as you say."))

    assert await said_in(running) == ["5"]
    async with running.core.database.reading() as session:
        assert await session.scalar(text("SELECT count(*) FROM corrections")) == 2


async def test_forged_button_data_changes_nothing_and_is_answered(
    running: Running, you: Person, photos: Photos
) -> None:
    _, answer = await read(you, photos[one_digit(photos)])

    for data in "fix:99:7", "fix:-1:7", "fix:1:12", "fix:1:7:1", "fix::7", "fix:1:٧", "undo:99", "x" * 64:
        assert await toast(you, answer["message_id"], data)
    assert await said_in(running) == []
