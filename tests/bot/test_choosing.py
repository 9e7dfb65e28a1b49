"""Consent, receipts and being forgotten."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from starlette.responses import Response

from bot.app import Core
from bot.errors import ForgottenError
from bot.housekeeping import Housekeeping
from bot.services.consent import TEXT_VERSION
from bot.services.people import Person as Someone
from storage import contributors, inbox
from storage.records import NewUpdate
from tests.bot.conftest import Running, button, toast
from tests.bot.localchat.conftest import serving
from tests.bot.person import Json, Person, says
from tests.bot.test_bad_networks import Call, connected, replies_to

Photos = dict[str, bytes]


async def correct(you: Person, photos: Photos, digit: str = "3") -> Json:
    """Send a photo and correct it; the bot's receipt."""
    photo = await you.send_photo(photos[next(digits for digits in photos if len(digits) == 1)])
    await you.answer_to(photo)
    return await you.answer_to(await you.send(f"/correct {digit}", reply_to=photo["message_id"]))


def starts(sentence: str) -> Callable[[Json], bool]:
    """Whether something in the chat starts with this sentence."""
    return lambda seen: seen["message"].get("text", "").startswith(sentence)


async def forget_me(you: Person) -> Json:
    """Send /forget_me; the bot's question."""
    command = await you.send("/forget_me")
    asked = await you.see(
        lambda seen: (
            starts("This deletes everything")(seen) and seen["message"]["message_id"] > command["message_id"]
        )
    )
    question: Json = asked["message"]
    return question


async def test_a_choice_that_is_pressed_twice_is_made_once(
    running: Running, you: Person, photos: Photos, caplog: pytest.LogCaptureFixture
) -> None:
    question = await you.answer_to(await correct(you, photos))
    yes = button(question, "Yes, learn from my corrections")

    for _ in range(2):
        assert not await toast(you, question["message_id"], yes)
    policy = await you.answer_to(await you.send("/privacy"))
    for _ in range(2):
        assert not await toast(you, policy["message_id"], button(policy, "Tell me when my corrections help"))
    await you.answer_to(await you.send("/id"))

    assert await consent_in(running) == ["given"]
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


async def consent_in(running: Running) -> list[str]:
    async with running.core.database.reading() as session:
        return list(await session.scalars(text("SELECT consent FROM contributors")))


async def test_consent_is_asked_once_after_the_first_correction_and_given_by_the_button(
    running: Running, you: Person, photos: Photos
) -> None:
    question = await you.answer_to(await correct(you, photos))
    assert question["text"].startswith("May I learn from your corrections?")
    assert await consent_in(running) == ["not_asked"]

    await you.press(question["message_id"], button(question, "Yes, learn from my corrections"))
    settled = await you.see(starts("Thank you: your corrections"))
    assert "reply_markup" not in settled["message"]
    assert await consent_in(running) == ["given"]

    receipt = await correct(you, photos, "5")
    await you.answer_to(await you.send("/id"))
    asked = [one for one in await you.history() if "May I learn" in one["message"].get("text", "")]
    assert asked == []
    assert receipt["text"].startswith("Saved")


async def test_who_agreed_to_an_older_text_is_asked_once_more(
    running: Running, you: Person, photos: Photos
) -> None:
    question = await you.answer_to(await correct(you, photos))
    await toast(you, question["message_id"], button(question, "Yes, learn from my corrections"))
    async with running.core.database.transaction() as session:
        await session.execute(text("UPDATE contributors SET consent_version = 0"))

    again = await you.answer_to(await correct(you, photos, "5"))
    await correct(you, photos, "6")
    await you.answer_to(await you.send("/id"))

    assert again["text"].startswith("May I learn from your corrections?")
    asked = [one for one in await you.history() if "May I learn" in one["message"].get("text", "")]
    assert len(asked) == 1
    await toast(you, again["message_id"], button(again, "Yes, learn from my corrections"))
    async with running.core.database.reading() as session:
        assert list(await session.scalars(text("SELECT consent_version FROM contributors"))) == [1]


async def test_privacy_shows_the_choice_and_changes_it(running: Running, you: Person) -> None:
    policy = await you.answer_to(await you.send("/privacy"))
    assert "I may not learn from your corrections." in policy["text"]
    assert "30 days" in policy["text"]

    await toast(you, policy["message_id"], button(policy, "Yes, learn from my corrections"))
    policy = await you.answer_to(await you.send("/privacy"))
    assert "I may learn from your corrections." in policy["text"]

    await toast(you, policy["message_id"], button(policy, "Tell me when my corrections help"))
    told = await you.see(lambda seen: "I tell you when" in seen["message"].get("text", ""))
    assert button(told["message"], "Do not tell me when they help")

    await toast(you, policy["message_id"], button(policy, "Stop learning from me"))
    assert await consent_in(running) == ["withdrawn"]


async def test_a_yes_to_another_text_or_for_another_person_is_refused(running: Running, you: Person) -> None:
    policy = await you.answer_to(await you.send("/privacy"))

    newer = await toast(you, policy["message_id"], f"consent:yes:999:{you.user_id}")
    other = await toast(you, policy["message_id"], "consent:yes:1:5")

    assert newer.startswith("The text has changed since.")
    assert other == "That button is for somebody else."
    assert "given" not in await consent_in(running)


async def test_forget_me_asks_first_and_leaves_nothing(running: Running, you: Person, photos: Photos) -> None:
    await correct(you, photos)

    question = await forget_me(you)
    await you.press(question["message_id"], button(question, "Keep it"))
    await you.see(starts("Nothing was changed."))
    assert await consent_in(running) == ["not_asked"]

    question = await forget_me(you)
    await you.press(question["message_id"], button(question, "Delete everything of mine"))
    await you.see(starts("Done: I have forgotten you, and 1 reading with you."))

    async with running.core.database.reading() as session:
        for table in "contributors", "predictions", "glyphs", "corrections":
            assert await session.scalar(text(f"SELECT count(*) FROM {table}")) == 0
        assert await session.scalar(text("SELECT count(*) FROM inbox WHERE user_id IS NOT NULL")) == 0


@pytest.mark.parametrize("is_new", [False, True], ids=["known", "new"])
async def test_photos_that_wait_while_their_sender_is_forgotten_are_neither_read_nor_stored(
    tmp_path: Path, photos: Photos, is_new: bool
) -> None:
    """One is being downloaded, one waits for its turn; of somebody new they are the first."""
    known, downloading, forgotten = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def hold(name: str, call: Call) -> Response:
        if name == "download" and known.is_set():
            downloading.set()
            await forgotten.wait()
        return await call()

    async with serving(tmp_path, interceptor=hold) as telegram, connected(tmp_path, telegram) as core:
        you = telegram.person()
        first, *others = list(photos.values())[:3]
        if not is_new:
            await you.answer_to(await you.send_photo(first))
        known.set()
        question = await forget_me(you)
        sent = [await you.send_photo(photo) for photo in others]
        await downloading.wait()
        await you.press(question["message_id"], button(question, "Delete everything of mine"))
        await you.see(starts("Done: I have forgotten you"))
        forgotten.set()

        await you.answer_to(await you.send("/id"))  # comes when the photos have had their turn

        history = await you.history()
        assert not any(replies_to(photo)(seen) for photo in sent for seen in history)
        assert await rows(core) == 0


async def test_who_is_forgotten_while_the_answer_goes_out_is_told_of_no_error(
    tmp_path: Path, photos: Photos, caplog: pytest.LogCaptureFixture
) -> None:
    asked, answering, forgotten = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def hold(name: str, call: Call) -> Response:
        if name == "sendMessage" and asked.is_set():
            answering.set()
            await forgotten.wait()
        return await call()

    async with serving(tmp_path, interceptor=hold) as telegram, connected(tmp_path, telegram) as core:
        you = telegram.person()
        question = await forget_me(you)
        asked.set()
        await you.send_photo(next(iter(photos.values())))
        await answering.wait()
        await you.press(question["message_id"], button(question, "Delete everything of mine"))
        await you.see(starts("Done: I have forgotten you"))
        forgotten.set()

        await you.answer_to(await you.send("/id"))  # comes when the photo has had its turn

        assert not any(says("went wrong")(seen) for seen in await you.history())
        assert not any(record.levelname == "ERROR" for record in caplog.records)
        assert await rows(core) == 0


async def test_a_sample_on_its_way_makes_nobody_known_again_who_is_forgotten_meanwhile(
    tmp_path: Path,
) -> None:
    posting, forgotten = asyncio.Event(), asyncio.Event()

    async def hold(name: str, call: Call) -> Response:
        if name == "sendPhoto":
            posting.set()
            await forgotten.wait()
        return await call()

    async with serving(tmp_path, interceptor=hold) as telegram, connected(tmp_path, telegram) as core:
        you = telegram.person()
        greeting = await you.answer_to(await you.send("/start"))
        question = await forget_me(you)
        await you.press(greeting["message_id"], button(greeting, "Show me with a sample"))
        await posting.wait()
        await you.press(question["message_id"], button(question, "Delete everything of mine"))
        await you.see(starts("Done: I have forgotten you"))
        forgotten.set()
        await you.see(lambda seen: "photo" in seen["message"])

        await asyncio.sleep(1)  # it would be read by then
        assert await rows(core) == 0


async def test_what_was_pressed_before_being_forgotten_makes_nobody_known_again(running: Running) -> None:
    """Presses do not wait for each other."""
    bot_id, consent = 7, running.core.services.consent
    person = Someone(bot_id, 5)
    async with running.core.database.transaction() as session:
        pressed = [NewUpdate(number, {}, person.user_id) for number in range(3)]
        await inbox.put(session, bot_id, pressed, datetime.now(UTC))
    await consent.forget(person, 0)

    with pytest.raises(ForgottenError):
        await consent.choose(person, given=True, version=TEXT_VERSION, update_id=1)
    with pytest.raises(ForgottenError):
        await consent.set_receipts(person, wanted=True, update_id=2)
    async with consent.asking(person) as asks:
        assert not asks
    assert await rows(running.core) == 0


async def test_the_question_is_put_once_and_again_where_it_was_cut_short(running: Running) -> None:
    consent, person = running.core.services.consent, Someone(7, 5)
    async with running.core.database.transaction() as session:
        await contributors.get_or_create(session, person.bot_id, person.user_id, datetime.now(UTC))

    async def ask() -> None:
        async with consent.asking(person) as asks, consent.asking(person) as asks_meanwhile:
            assert (asks, asks_meanwhile) == (True, False)
            async with running.core.database.reading() as session:
                who = await contributors.find(session, person.bot_id, person.user_id)
            assert who is not None
            assert who.asked_at is None, "a bot that is killed now must ask again"
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await ask()
    async with consent.asking(person) as asks:
        assert asks
    async with consent.asking(person) as asks:
        assert not asks


async def rows(core: Core) -> int:
    """People and readings."""
    async with core.database.reading() as session:
        return sum(
            [
                await session.scalar(text(f"SELECT count(*) FROM {table}")) or 0
                for table in ("contributors", "predictions")
            ]
        )


async def test_a_reading_without_consent_expires(running: Running, you: Person, photos: Photos) -> None:
    await you.answer_to(await you.send_photo(next(iter(photos.values()))))

    async def readings_after(days: int) -> int:
        later = datetime.now(UTC) + timedelta(days=days)
        await Housekeeping(running.core.database, timedelta(days=30), lambda: later).once()
        async with running.core.database.reading() as session:
            return await session.scalar(text("SELECT count(*) FROM predictions")) or 0

    assert await readings_after(29) == 1
    assert await readings_after(31) == 0
